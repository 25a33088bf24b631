/*
 * Private messages: the unread number in every tab, the list of conversations, and the open
 * conversation, where messages arrive, are read when they are seen, and are sent from. What a live
 * item says is the present state, so it is simply shown, each message once, by its id.
 */

import { compare, isAfter } from './cursor.js'
import { number } from './language.js'
import { csrfToken, newKey, post, reason } from './requests.js'
import { fragment } from './trusted.js'

const MOST = 99
const TYPING_MS = 3000
const SHOWN_MS = 7000
const SERVER_FAULT = 500
const NEAR_END_PX = 160

const form = document.querySelector('#message-form[method]')
const thread = document.querySelector('#thread')
const list = () => document.querySelector('#messages')
const isOpen = (id) => thread?.dataset.with === id && list().hasAttribute('data-live')

let whisper = () => {}
let whisperedAt = 0
let sending = false
let typingTimer
let readTo = '0'

/** Begin; `say` takes a frame for the live connection. */
export function start(say) {
  if (!thread) return
  whisper = () => say({ type: 'typing', to: thread.dataset.with })
  thread.addEventListener('click', remove)
  document.addEventListener('visibilitychange', markRead)
  form?.addEventListener('submit', submit)
  form?.addEventListener('input', isTyping)
  form?.addEventListener('keydown', (event) => {
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) form.requestSubmit()
  })
  shown()
}

/** Look at the conversation as it was just loaded. */
export function shown() {
  if (!list()?.hasAttribute('data-live')) return
  showSeen(list().dataset.seenTo)
  toEnd()
  markRead()
}

/** Take a message: { id, with, html, line, unread_count }. */
export function arrived({ id, with: other, html, line, unread_count: unread }) {
  showUnread(unread)
  showLine(other, line)
  if (!isOpen(other)) return
  const follows = nearEnd()
  place(id, html)
  stopTyping()
  if (follows) toEnd()
  markRead()
}

/** Take what a conversation is now: { with, line, cleared_to, seen_to, unread_count }. */
export function changed({ with: other, line, cleared_to: cleared, seen_to: seen, unread_count: unread }) {
  showUnread(unread)
  showLine(other, line)
  if (thread?.dataset.with !== other) return
  for (const item of [...list().children]) if (!isAfter(item.dataset.message, cleared)) item.remove()
  showSeen(seen)
}

/** Take that a message is gone for oneself: { id, unread_count }. */
export function deleted({ id, unread_count: unread }) {
  showUnread(unread)
  document.getElementById(`message-${id}`)?.remove()
}

/** Take that somebody is writing: { from }. */
export function typing({ from }) {
  if (!isOpen(from)) return
  clearTimeout(typingTimer)
  thread.querySelector('#typing span').hidden = false
  typingTimer = setTimeout(stopTyping, SHOWN_MS)
}

/** Show the number of unread messages. */
export function showUnread(unread) {
  for (const badge of document.querySelectorAll('[data-unread-of-messages]')) {
    badge.hidden = unread === 0
    badge.querySelector('b').textContent = unread > MOST ? `${number(MOST)}+` : number(unread)
  }
}

/** Put a conversation's line where it belongs, the newest first; one that is empty goes. */
function showLine(other, html) {
  const lines = document.querySelector('#conversations')
  if (!lines) return
  document.getElementById(`conversation-${other}`)?.remove()
  if (!html) return
  const line = fragment(html).firstElementChild
  const older = [...lines.children].find((one) => compare(one.dataset.last, line.dataset.last) < 0)
  if (older || lines.hasAttribute('data-live')) lines.insertBefore(line, older ?? null)
}

function place(id, html) {
  if (document.getElementById(`message-${id}`)) return
  const newer = [...list().children].find((one) => isAfter(one.dataset.message, id))
  list().insertBefore(fragment(html), newer ?? null)
  showSeen(list().dataset.seenTo)
}

/** Say "Seen" below the last of one's own messages that the other has read. */
function showSeen(upTo) {
  list().dataset.seenTo = upTo
  const seen = [...list().querySelectorAll('.is-mine')].filter(({ dataset }) => !isAfter(dataset.message, upTo))
  for (const mark of list().querySelectorAll('.seen-mark')) {
    mark.hidden = mark.closest('.message') !== seen.at(-1)
  }
}

function markRead() {
  const last = [...list().querySelectorAll('.message:not(.is-mine)')].at(-1)?.dataset.message
  if (document.hidden || !last || !isAfter(last, readTo)) return
  const before = readTo
  readTo = last
  post(thread.dataset.read, { csrf_token: csrfToken(), up_to: last })
    .then(({ ok }) => { if (!ok) readTo = before }, () => { readTo = before })
}

function isTyping() {
  if (Date.now() - whisperedAt < TYPING_MS || !form.elements.message.value) return
  whisperedAt = Date.now()
  whisper()
}

function stopTyping() {
  clearTimeout(typingTimer)
  thread.querySelector('#typing span').hidden = true
}

async function submit(event) {
  // On an older page the answer is the newest one.
  if (!list().hasAttribute('data-live')) return
  event.preventDefault()
  if (sending || !form.elements.message.value.trim()) return
  sending = true
  const { message } = form.elements
  message.readOnly = true
  try {
    settle(message, await post(form.action, new FormData(form)))
  } catch {
    complain(thread.dataset.unreachable)
  } finally {
    sending = message.readOnly = false
  }
}

function settle(field, answer) {
  if (!answer.ok) {
    // Refused means not stored: the text may change and go again. After a fault, who knows?
    if (answer.status < SERVER_FAULT) renewKey()
    return complain(reason(answer.body, form.dataset.refused))
  }
  if (!answer.body) return location.reload()
  place(answer.body.id, answer.body.html)
  field.value = ''
  whisperedAt = 0
  renewKey()
  complain('')
  toEnd()
}

async function remove(event) {
  const button = event.target.closest('[data-message-delete]')
  if (!button) return
  event.preventDefault()
  const failed = () => complain(thread.dataset.deleteRefused)
  const answer = await post(button.formAction, { csrf_token: csrfToken() }).catch(failed)
  if (answer && !answer.ok) failed()
  if (answer?.ok) button.closest('.message').remove()
}

function complain(text) {
  const place_ = document.querySelector('#message-error')
  if (!place_) return
  place_.textContent = text
  place_.hidden = !text
  form?.elements.message.setAttribute('aria-invalid', Boolean(text))
}

function renewKey() {
  form.elements.idempotency_key.value = newKey()
}

const end = document.querySelector('#latest')
const nearEnd = () => end.getBoundingClientRect().top - innerHeight < NEAR_END_PX
const toEnd = () => end.scrollIntoView({ block: 'end' })
