/*
 * Short messages: spoken politely (`say`), or shown as a toast as well (`toast`).
 * The elements are in base.html.
 */

const TOAST_SECONDS = 8

/** Have a screen reader say something, once it has finished what it is saying. */
export function say(text) {
  document.querySelector('#announcer').textContent = text
}

/** Show a message at the foot of the page for some seconds. The region is a polite live region. */
export function toast(text) {
  const message = document.createElement('p')
  message.className = 'toast-note'
  message.textContent = text
  document.querySelector('#toasts').append(message)
  setTimeout(() => message.remove(), TOAST_SECONDS * 1000)
}
