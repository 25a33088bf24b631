/*
 * What the page tells its reader: short messages, spoken politely (`say`) or shown as a toast as
 * well (`toast`), and the quiet mark that says whether the page is live (`showState`).
 * The elements are in base.html; the words of the mark are its data attributes.
 */

const TOAST_SECONDS = 8
// A reconnect shorter than this is nobody's business.
const PATIENCE_MS = 1500

const mark = document.querySelector('#live-mark')
const toasts = document.querySelector('#toasts')
let timer
let troubled = false

/** Have a screen reader say something, once it has finished what it is saying. */
export function say(text) {
  document.querySelector('#announcer').textContent = text
}

/** Show a message at the foot of the page for some seconds. The region is a polite live region. */
export function toast(text) {
  const message = document.createElement('p')
  message.className = 'toast-note'
  message.textContent = text
  toasts.append(message)
  setTimeout(() => message.remove(), TOAST_SECONDS * 1000)
}

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
  toasts.append(template.content.cloneNode(true))
}
