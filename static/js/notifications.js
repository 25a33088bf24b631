/*
 * Notifications: the unread number in the navigation, the title and the icon of every tab, and the
 * list of the notifications page. An item is what the server says it is now, in its place; what the
 * reader has really had before their eyes is marked as read.
 */

import { say } from './announce.js'
import { compare, isAfter, later } from './cursor.js'
import { showOnIcon } from './icon.js'
import { number } from './language.js'
import { csrfToken, post } from './requests.js'
import { fragment } from './trusted.js'

const MOST = 99
const MOST_ON_ICON = 9
const SEEN_MS = 1000
const READ = '/notifications/read'

const timers = new Map()
let seen = []

const list = () => document.querySelector('#notifications')
const shown = (id) => document.getElementById(`notification-${id}`)
const act = document.querySelector('#act')
const watcher = new IntersectionObserver(look, { threshold: 0.5 })

/** Begin: what is looked at, opened, or said to be read, is marked as read. */
export function start() {
  document.addEventListener('click', (event) => {
    const item = event.target.closest('a')?.closest('#notifications .is-unread')
    if (item) markRead([item], { keepalive: true })
  })
  act.addEventListener('submit', (event) => {
    const button = event.submitter
    if (!button?.matches('#notifications [name=id], [data-read-all]')) return
    event.preventDefault()
    const item = button.closest('.notification')
    if (item) focusOn(item)
    tell([[button.name, button.value]])
  })
  document.addEventListener('visibilitychange', watch)
  refreshed()
}

/** Show what the page, loaded or loaded anew, says. */
export function refreshed() {
  showUnread(Number(document.body.dataset.unreadCount))
  watch()
}

/** Take an item as it is now, or that it is gone. */
export function arrived({ id, unread_count: unread, gone, seen_at: seenAt, read, ...told }) {
  showUnread(unread)
  if (gone) shown(id)?.remove()
  else if (list()) place(id, told)
  if (!read && seenAt?.includes(location.pathname) && !document.hidden) tell([['id', id]])
}

/** Take that an item was read, here or in another tab: { id, unread_count, read }. */
export function readOne({ id, unread_count: unread, read }) {
  showUnread(unread)
  if (read) shown(id)?.classList.remove('is-unread')
}

/** Take what was read, here or in another tab: { unread_count, up_to }. */
export function read({ unread_count: unread, up_to: upTo }) {
  showUnread(unread)
  for (const item of document.querySelectorAll('#notifications .is-unread')) {
    const isRead = unread === 0 || !isAfter(item.dataset.position, upTo)
    if (isRead) item.classList.remove('is-unread')
  }
}

function showUnread(unread) {
  const short = (most) => (unread > most ? `${number(most)}+` : number(unread))
  for (const badge of document.querySelectorAll('[data-unread]')) {
    badge.hidden = unread === 0
    badge.querySelector('b').textContent = short(MOST)
  }
  for (const button of document.querySelectorAll('[data-read-all]')) button.hidden = unread === 0
  const title = document.title.replace(/^\(\S+\) /, '')
  document.title = unread ? `(${short(MOST)}) ${title}` : title
  showOnIcon(unread ? short(MOST_ON_ICON) : '')
}

/** Put an item where its position belongs, newest first. */
function place(id, { kind, position, html }) {
  const old = shown(id)
  const moves = compare(old?.dataset.position, position) !== 0
  const { kinds } = list().dataset
  // Further back in the list, or in a list of other kinds, it has no place.
  const fits = list().hasAttribute('data-live') && (!kinds || kinds.split(' ').includes(kind))
  if (moves && !fits) return old?.remove()
  const fresh = fragment(html).firstElementChild
  const hadFocus = old?.contains(document.activeElement)
  if (moves) {
    old?.remove()
    fresh.classList.add('is-new')
    const next = [...list().children].find((other) => isAfter(position, other.dataset.position))
    list().insertBefore(fresh, next ?? null)
    say(fresh.querySelector('p').textContent)
  } else {
    old.replaceWith(fresh)
  }
  if (hadFocus) focusOn(fresh)
  if (!document.hidden) watcher.observe(fresh)
}

function focusOn(item) {
  item.tabIndex = -1
  item.focus({ preventScroll: true })
}

// --- What the reader sees -----------------------------------------------------------------------

function watch() {
  watcher.disconnect()
  if (document.hidden) return
  for (const item of document.querySelectorAll('#notifications .is-unread')) watcher.observe(item)
  // The page shows what somebody was told of: its button does the same without scripts.
  const button = document.querySelector('[data-seen]')
  if (!button) return
  button.parentElement.remove()
  tell([[button.name, button.value]])
}

function look(entries) {
  for (const { target, isIntersecting } of entries) {
    clearTimeout(timers.get(target))
    if (isIntersecting) timers.set(target, setTimeout(() => see(target), SEEN_MS))
  }
}

function see(item) {
  timers.delete(item)
  if (document.hidden || !item.isConnected || !item.matches('.is-unread')) return
  if (!seen.length) setTimeout(() => { markRead(seen); seen = [] })
  seen.push(item)
}

/** Mark items as read, as far as they have come: not what joins them meanwhile. */
function markRead(items, how) {
  const upTo = items.map((item) => item.dataset.position).reduce(later)
  tell([...items.map((item) => ['id', item.dataset.notification]), ['up_to', upTo]], how)
}

/** Tell the server; what it answers is told to all tabs, this one may come first. */
async function tell(fields, how) {
  const answer = await post(READ, [['csrf_token', csrfToken()], ...fields], how).catch(() => null)
  if (!answer?.ok) return
  const { unread_count: unread } = answer.body
  const ids = fields.filter(([name]) => name === 'id').map(([, id]) => id)
  if (ids.length) for (const id of ids) readOne({ id, unread_count: unread, read: true })
  else read({ unread_count: unread, up_to: '' })
}
