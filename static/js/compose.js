/*
 * The form for a new post: it grows, counts, keeps a draft, and sends in the background.
 *
 * The idempotency key belongs to the text: a retry of the same text carries the same key, so the
 * server makes one post of it, however often the answer was lost on the way.
 */

import { say } from './announce.js'
import { publishedHere } from './feed.js'
import { fill } from './language.js'
import { length } from './length.js'
import { post, reason } from './requests.js'

const LIMIT = 500
const NEAR_LIMIT = 20
const SIGNED_OUT = 401
const SERVER_FAULT = 500

const form = document.querySelector('#compose-form')
const repliesTo = form?.elements.reply_to.value ?? ''
const draftName = `draft:${document.body.dataset.viewer}:${repliesTo}`
let sending = false
let sentText = null

/** Begin, where the page has the form. */
export function start() {
  if (!form) return
  const field = form.elements.post
  restoreDraft(field)
  update(field)
  field.addEventListener('input', () => { complain(''); update(field); keepDraft(field) })
  form.elements.language.addEventListener('change', () => keepDraft(field))
  field.addEventListener('keydown', (event) => {
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) form.requestSubmit()
  })
  form.addEventListener('submit', (event) => { event.preventDefault(); send(field) })
  for (const link of document.querySelectorAll('[data-compose]')) {
    if (!repliesTo) link.addEventListener('click', (event) => { event.preventDefault(); focus() })
  }
  if (location.hash === '#compose') focus()
  if (location.hash === '#reply') field.focus()
}

/** Put the cursor into the form, or go to the page that has it. */
export function focus() {
  if (!form || repliesTo) return document.querySelector('[data-compose]')?.click()
  scrollTo({ top: 0 })
  form.elements.post.focus()
}

async function send(field) {
  if (sending) return
  const used = length(field.value.trim())
  if (used === 0) return field.focus()
  if (used > LIMIT) return complain(form.dataset.tooLong)
  if (sentText !== null && sentText !== field.value) renewKey()
  sentText = field.value
  keepDraft(field)
  setSending(true)
  try {
    settle(field, await post(form.action, new FormData(form)))
  } catch {
    complain(form.dataset.unreachable)
  } finally {
    setSending(false)
  }
}

function settle(field, answer) {
  if (!answer.ok) {
    // Refused means not stored, so the key is still free; after a fault of the server who knows?
    if (answer.status < SERVER_FAULT) sentText = null
    complain(reason(answer.body, form.dataset.refused))
    form.querySelector('[data-login]').hidden = answer.status !== SIGNED_OUT
    return
  }
  field.value = ''
  form.elements.language.value = ''
  sentText = null
  sessionStorage.removeItem(draftName)
  renewKey()
  complain('')
  update(field)
  if (!answer.body) return location.reload()
  publishedHere(answer.body)
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
  counter.dataset.level = left < 0 ? 'over' : left <= NEAR_LIMIT ? 'near' : ''
  if ([NEAR_LIMIT, 0].includes(left)) say(fill(form.dataset.left, left))
  grow(field)
}

function grow(field) {
  if (CSS.supports('field-sizing', 'content')) return
  field.style.height = 'auto'
  field.style.height = `${field.scrollHeight}px`
}

function keepDraft(field) {
  const key = form.elements.idempotency_key.value
  const draft = { text: field.value, key, sentText, language: form.elements.language.value }
  if (field.value) sessionStorage.setItem(draftName, JSON.stringify(draft))
  else sessionStorage.removeItem(draftName)
}

/** Bring back what was being written, unless the server sent a text back itself. */
function restoreDraft(field) {
  const draft = JSON.parse(sessionStorage.getItem(draftName))
  if (!draft || field.defaultValue) return
  field.value = draft.text
  form.elements.idempotency_key.value = draft.key
  form.elements.language.value = draft.language ?? ''
  sentText = draft.sentText
}

// crypto.randomUUID is missing on plain HTTP.
function renewKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  const key = [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('')
  form.elements.idempotency_key.value = key
}
