/*
 * Notifications: the unread number in the navigation, the title and the icon of every tab, and the
 * list of the notifications page. What the reader really has before their eyes is marked as read.
 */

import { say } from './announce.js'
import { isAfter, later } from './cursor.js'
import { showOnIcon } from './icon.js'
import { number } from './language.js'
import { csrfToken, post } from './requests.js'
import { fragment } from './trusted.js'

const MOST = 99
const MOST_ON_ICON = 9
const SEEN_MS = 1000

const timers = new Map()
const watcher = new IntersectionObserver(look, { threshold: 0.5 })

const list = () => document.querySelector('#notifications')
const shown = (id) => document.getElementById(`notification-${id}`)
const unreadItems = () => document.querySelectorAll('#notifications .is-unread')

/** Begin: what is looked at, opened, or said to be read, is marked as read. */
export function start() {
  document.addEventListener('click', (event) => {
    const item = event.target.closest('a')?.closest('#notifications .is-unread')
    if (item) markRead([item])
  })
  document.querySelector('#act').addEventListener('submit', (event) => {
    const { submitter } = event
    if (!submitter?.matches('.mark-read, [data-read-all]')) return
    event.preventDefault()
    const item = submitter.closest('.notification')
    if (item) focusOn(item)
    tell([[submitter.name, submitter.value]])
  })
  document.addEventListener('visibilitychange', watch)
  refreshed()
}

/** Show what the page, loaded or loaded anew, says. */
export function refreshed() {
  showUnread(Number(document.body.dataset.unreadCount))
  watch()
}

/** Take an item as it is now: { id, unread_count, kind, position, seen_at, read, html }, or gone. */
export function arrived(told) {
  showUnread(told.unread_count)
  if (told.gone) shown(told.id)?.remove()
  else if (list()) place(told)
  if (!told.read && told.seen_at?.includes(location.pathname) && !document.hidden) {
    tell([['id', told.id]])
  }
}

/** Take whether an item was read, here or in another tab: { id, unread_count, read }. */
export function readOne({ id, unread_count: unread, read: isRead }) {
  showUnread(unread)
  if (isRead) shown(id)?.classList.remove('is-unread')
}

/** Take what was read, here or in another tab: { unread_count, up_to }. */
export function read({ unread_count: unread, up_to: upTo }) {
  showUnread(unread)
  for (const item of unreadItems()) {
    if (unread === 0 || !isAfter(item.dataset.position, upTo)) item.classList.remove('is-unread')
  }
}

function showUnread(unread) {
  const upTo = (most) => (unread > most ? `${number(most)}+` : number(unread))
  for (const badge of document.querySelectorAll('[data-unread]')) {
    badge.hidden = unread === 0
    badge.querySelector('b').textContent = upTo(MOST)
  }
  for (const button of document.querySelectorAll('[data-read-all]')) button.hidden = unread === 0
  const title = document.title.replace(/^\(\S+\) /, '')
  document.title = unread ? `(${upTo(MOST)}) ${title}` : title
  showOnIcon(unread ? upTo(MOST_ON_ICON) : '')
}

/** Put an item where its position belongs; further back, or among other kinds, it has no place. */
function place({ id, kind, position, html }) {
  const old = shown(id)
  const stays = old?.dataset.position === position
  const { kinds, live } = list().dataset
  if (!stays && (live === undefined || (kinds && !kinds.split(' ').includes(kind)))) {
    return old?.remove()
  }
  const fresh = fragment(html).firstElementChild
  const hadFocus = old?.contains(document.activeElement)
  if (stays) {
    old.replaceWith(fresh)
  } else {
    old?.remove()
    fresh.classList.add('is-new')
    const next = [...list().children].find((other) => isAfter(position, other.dataset.position))
    list().insertBefore(fresh, next ?? null)
    say(fresh.querySelector('p').textContent)
  }
  if (hadFocus) focusOn(fresh)
  watch()
}

function focusOn(item) {
  item.tabIndex = -1
  item.focus({ preventScroll: true })
}

function watch() {
  watcher.disconnect()
  if (document.hidden) return
  for (const item of unreadItems()) watcher.observe(item)
  // This button of a page that shows what somebody was told of is for who has no scripts.
  const button = document.querySelector('[data-seen]')
  if (!button) return
  button.parentElement.remove()
  tell([[button.name, button.value]])
}

function look(entries) {
  for (const { target, isIntersecting } of entries) {
    if (!isIntersecting) {
      clearTimeout(timers.get(target))
      timers.delete(target)
    } else if (!timers.has(target)) {
      timers.set(target, setTimeout(see, SEEN_MS, target))
    }
  }
}

/** Mark as read what has been looked at; all that came into view together goes in one request. */
function see(item) {
  const together = [...timers.keys()].filter((one) => one.matches('.is-unread'))
  timers.clear()
  if (!document.hidden && together.includes(item)) markRead(together)
}

/** Mark items as read as far as they have come: not what joins them meanwhile. */
function markRead(items) {
  const upTo = items.map((item) => item.dataset.position).reduce(later)
  tell([...items.map((item) => ['id', item.dataset.notification]), ['up_to', upTo]])
}

async function tell(fields) {
  const all = [['csrf_token', csrfToken()], ...fields]
  const answer = await post('/notifications/read', all, { keepalive: true }).catch(() => null)
  // All tabs are told, this one too; where its connection is away it knows by the answer.
  if (answer?.ok) showUnread(answer.body.unread_count)
}
