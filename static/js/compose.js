/*
 * The form for a new post: it grows, counts, and sends in the background. drafts.js keeps its text.
 *
 * The idempotency key belongs to the text: a retry of the same text carries the same key, so the
 * server makes one post of it, however often the answer was lost on the way.
 */

import { say } from './announce.js'
import { answeredHere } from './answers.js'
import * as drafts from './drafts.js'
import { publishedHere } from './feed.js'
import { fill } from './language.js'
import { length } from './length.js'
import { newKey, post, reason } from './requests.js'

const LIMIT = 500
const NEAR_LIMIT = 20
const SIGNED_OUT = 401
const SERVER_FAULT = 500

const form = document.querySelector('#compose-form')
const isReply = Boolean(form?.dataset.draft.startsWith('reply:'))
const sentName = `sent:${document.body.dataset.viewer}:${form?.dataset.draft}`
let sending = false
let waiting = false // to send what was written while a text was on its way
let sentText = null
let level = ''

/** Begin, where the page has the form. */
export function start() {
  if (!form) return
  const field = form.elements.post
  restoreKey(field)
  update(field)
  field.addEventListener('input', () => { complain(''); update(field) })
  field.addEventListener('keydown', (event) => {
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) form.requestSubmit()
  })
  form.addEventListener('submit', (event) => { event.preventDefault(); send(field) })
  for (const link of document.querySelectorAll('[data-compose]')) {
    if (!isReply) link.addEventListener('click', (event) => { event.preventDefault(); focus() })
  }
  if (location.hash === '#compose') focus()
  if (location.hash === '#reply') field.focus()
}

/** Put the cursor into the form, or go to the page that has it. */
export function focus() {
  if (!form || isReply) return document.querySelector('[data-compose]')?.click()
  scrollTo({ top: 0 })
  form.elements.post.focus()
}

async function send(field) {
  waiting = sending
  if (sending) return
  const used = length(field.value.trim())
  if (used === 0) return field.focus()
  if (used > LIMIT) return complain(form.dataset.tooLong)
  if (sentText !== null && sentText !== field.value) renewKey()
  const text = sentText = field.value
  keepKey()
  setSending(true)
  try {
    await drafts.hold(form)
    settle(field, await post(form.action, new FormData(form)))
  } catch {
    drafts.release(form)
    complain(form.dataset.unreachable)
  } finally {
    setSending(false)
  }
  if (waiting && field.value !== text && field.value.trim()) send(field)
}

function settle(field, answer) {
  if (!answer.ok) {
    // Refused means not stored, so the key is still free; after a fault of the server who knows?
    if (answer.status < SERVER_FAULT) sentText = null
    drafts.release(form)
    complain(reason(answer.body, form.dataset.refused))
    form.querySelector('[data-login]').hidden = answer.status !== SIGNED_OUT
    return
  }
  // What was written meanwhile is the next post.
  if (field.value === sentText) {
    field.value = ''
    form.elements.language.value = ''
  }
  sentText = null
  sessionStorage.removeItem(sentName)
  drafts.sent(form)
  renewKey()
  complain('')
  update(field)
  if (!answer.body) return location.reload()
  publishedHere(answer.body)
  answeredHere(answer.body)
  say(form.dataset.sent)
}

function setSending(value) {
  sending = value
  form.classList.toggle('is-sending', value)
  form.querySelector('[type=submit]').setAttribute('aria-disabled', value)
}

function complain(text) {
  const place = form.querySelector('#post-error')
  place.textContent = text
  place.hidden = !text
  form.querySelector('[data-login]').hidden = true
  form.elements.post.setAttribute('aria-invalid', Boolean(text))
}

function update(field) {
  const left = LIMIT - length(field.value)
  const counter = form.querySelector('.counter')
  counter.querySelector('span').textContent = left
  counter.style.setProperty('--used', Math.min(1, 1 - left / LIMIT))
  const now = left < 0 ? 'over' : left <= NEAR_LIMIT ? 'near' : ''
  if (now !== level) say(now === 'over' ? form.dataset.tooLong : now && fill(form.dataset.left, left))
  counter.dataset.level = level = now
  grow(field)
}

function grow(field) {
  if (CSS.supports('field-sizing', 'content')) return
  field.style.height = 'auto'
  field.style.height = `${field.scrollHeight}px`
}

/** The key of what was sent last: a repetition after a reload, of the same text, has it too. */
function keepKey() {
  const key = form.elements.idempotency_key.value
  sessionStorage.setItem(sentName, JSON.stringify({ key, sentText }))
}

function restoreKey(field) {
  const sent = JSON.parse(sessionStorage.getItem(sentName))
  if (sent?.sentText !== field.value) return
  form.elements.idempotency_key.value = sent.key
  sentText = sent.sentText
}

function renewKey() {
  form.elements.idempotency_key.value = newKey()
}
