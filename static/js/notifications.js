/*
 * Notifications: the unread number in the navigation and in the title of every tab, and the list of
 * the notifications page, where new ones slide in.
 */

import { isAfter } from './cursor.js'
import { number } from './language.js'
import { csrfToken } from './requests.js'
import { fragment } from './trusted.js'

const MOST = 99

const list = () => document.querySelector('#notifications')

/** Begin: following a link of an unread notification marks it as read. */
export function start() {
  document.addEventListener('click', (event) => {
    const unread = event.target.closest('a')?.closest('#notifications .is-unread')
    if (unread) markRead(unread.dataset.notification)
  })
}

/** Take a new notification: { id, unread_count, html }. */
export function arrived({ id, unread_count: unread, html }) {
  showUnread(unread)
  if (!list()?.hasAttribute('data-live')) return
  if (document.getElementById(`notification-${id}`)) return
  const part = fragment(html)
  part.firstElementChild.classList.add('is-new')
  list().prepend(part)
}

/** Take that one was read, here or in another tab: { id, unread_count }. */
export function readOne({ id, unread_count: unread }) {
  showUnread(unread)
  document.getElementById(`notification-${id}`)?.classList.remove('is-unread')
}

/** Take what was read, here or in another tab: { unread_count, up_to }. */
export function read({ unread_count: unread, up_to: upTo }) {
  showUnread(unread)
  for (const item of document.querySelectorAll('#notifications .is-unread')) {
    const isRead = unread === 0 || (upTo && !isAfter(item.dataset.notification, upTo))
    if (isRead) item.classList.remove('is-unread')
  }
}

/** Show the number of unread notifications, in the page and its title. */
export function showUnread(unread) {
  const text = unread > MOST ? `${number(MOST)}+` : number(unread)
  for (const badge of document.querySelectorAll('[data-unread]')) {
    badge.hidden = unread === 0
    badge.querySelector('b').textContent = text
  }
  for (const button of document.querySelectorAll('[data-read-all]')) button.hidden = unread === 0
  const title = document.title.replace(/^\(\S+\) /, '')
  document.title = unread ? `(${text}) ${title}` : title
}

function markRead(id) {
  const body = new URLSearchParams({ csrf_token: csrfToken(), id })
  // The page is being left: nobody waits for the answer.
  fetch(list().dataset.read, { method: 'POST', body, keepalive: true }).catch(() => {})
}
