/*
 * Translating a post in place: the translation stands below the text, and goes again by the same
 * button. Without JavaScript the same form leads to a page with both.
 */

import { say, toast } from './announce.js'
import { csrfToken, post, reason } from './requests.js'
import { fragment } from './trusted.js'

const words = document.querySelector('#translating')?.dataset

/** Begin: the buttons belong to the page's one form `act`. */
export function start() {
  document.querySelector('#act').addEventListener('submit', (event) => {
    const button = event.submitter
    if (!words || !button?.matches('[data-translate]')) return
    event.preventDefault()
    if (button.getAttribute('aria-disabled') !== 'true') toggle(button)
  })
}

async function toggle(button) {
  const shown = button.closest('.post').querySelector('[data-translation]')
  if (shown) {
    shown.remove()
    button.textContent = button.dataset.label
    return button.setAttribute('aria-expanded', 'false')
  }
  button.dataset.label ??= button.textContent
  button.setAttribute('aria-disabled', 'true')
  button.textContent = words.working
  try {
    show(button, await post(button.formAction, { csrf_token: csrfToken(), post_id: button.value }))
  } catch {
    refuse(button, words.unreachable)
  } finally {
    button.removeAttribute('aria-disabled')
  }
}

function show(button, answer) {
  if (!answer.ok || !answer.body) return refuse(button, reason(answer.body, words.refused))
  const part = fragment(answer.body.html)
  say(part.textContent)
  button.parentElement.after(part)
  button.textContent = words.hide
  button.setAttribute('aria-expanded', 'true')
}

function refuse(button, text) {
  button.textContent = button.dataset.label
  toast(text)
}
