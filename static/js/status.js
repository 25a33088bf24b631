/*
 * The quiet mark that tells whether the page is live. Its words are data attributes of the mark.
 */

import { say } from './announce.js'

// A reconnect shorter than this is nobody's business.
const PATIENCE_MS = 1500

const mark = document.querySelector('#live-mark')
let timer
let troubled = false

/** Show 'connected', 'reconnecting', 'offline' or 'ended'; speak only of a problem and its end. */
export function showState(state) {
  clearTimeout(timer)
  if (state === 'connected') return show(state)
  timer = setTimeout(() => show(state), PATIENCE_MS)
}

function show(state) {
  mark.hidden = false
  mark.dataset.state = state
  const words = mark.dataset[state]
  mark.title = words
  mark.querySelector('span').textContent = words
  if (state === 'ended') offerLogin()
  else if (state !== 'connected' || troubled) say(words)
  troubled = state !== 'connected'
}

function offerLogin() {
  const template = document.querySelector('#session-ended')
  document.querySelector('#toasts').append(template.content.cloneNode(true))
}
