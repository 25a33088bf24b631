/*
 * What somebody writes is kept on the server while they write: it is there on any of their devices.
 *
 * A form takes part by its attributes. Its fields are called `post` or `body`, and `title` and
 * `language` where it has them; it holds templates/drafts/_keeping.html, and the server fills all
 * of them.
 *
 *   data-draft          which form it is: `post`, `question`, `reply:<id of the post>` …
 *   data-draft-url      where its text is kept
 *   data-draft-unsaved  (may be there) the text in it is not the one that is kept
 *
 * A form that a script brings calls `attach`. Whoever sends a form calls `hold` before, and
 * `sent` or `release` after; the server takes the draft away with the sending.
 *
 * Each save says which version it follows. A tab whose text was saved takes what comes from
 * elsewhere; one that has more shows both, and nothing is saved until one of them is chosen.
 */

import { say } from './announce.js'
import { compare } from './cursor.js'
import { csrfToken, post } from './requests.js'

const PAUSE_MS = 1000
const LONGEST_MS = 10000
const AGAIN_MS = 5000
const CONFLICT = 409
const TOO_MANY = 429
const SERVER_FAULT = 500

const drafts = new Map()

/** Begin with the forms of the page. */
export function start() {
  for (const form of document.querySelectorAll('form[data-draft]')) attach(form)
  addEventListener('pagehide', saveAll)
  document.addEventListener('visibilitychange', () => document.hidden && saveAll())
  addEventListener('beforeunload', (event) => {
    for (const draft of drafts.values()) if (draft.isOpen) event.preventDefault()
  })
}

/** Keep what is written in a form from now on. */
export const attach = (form) => { drafts.set(form.dataset.draft, new Draft(form)) }

/** Take what the server keeps: { context, body, title, language, version }. */
export const changed = (state) => drafts.get(state.context)?.meet(state)

/**
 * Save nothing more of a form, which is about to be sent; resolves when nothing is on its way.
 * Where the browser itself sends it (`isLast`), nothing of it stays in this tab either.
 */
export const hold = (form, isLast) => drafts.get(form.dataset.draft)?.hold(isLast)

/** Go on: it could not be sent. */
export const release = (form) => drafts.get(form.dataset.draft)?.release()

/** Begin anew: it was sent, and is empty, or holds what was written since. */
export const sent = (form) => drafts.get(form.dataset.draft)?.sent()

/** Ask what is kept, after events were missed. */
export const reread = () => Promise.all([...drafts.values()].map((draft) => draft.reread()))

/** Save now what is not saved. */
export const saveAll = () => { for (const draft of drafts.values()) draft.save() }
const valuesOf = ({ body, title, language }) => ({ body, title, language: language ?? '' })
const isBlank = ({ body, title }) => !body.trim() && !title.trim()

class Draft {
  #form
  #field
  #store
  #saved = null // that text, as JSON
  #sending = null // the text that was last sent, as JSON
  #request = null
  #other = null // a text to choose: { version, values }; without a version it is one's own
  #held = false
  #isLast // the browser sends the form: what the server still says is of the next one
  #timer
  #since = 0

  constructor(form) {
    this.#form = form
    this.#field = form.elements.body ?? form.elements.post
    this.#store = `draft:${document.body.dataset.viewer}:${form.dataset.draft}`
    if (this.#version && !('draftUnsaved' in form.dataset)) this.#saved = this.#text
    this.#restore()
    form.addEventListener('input', () => this.#written())
    form.querySelector('[data-draft-take]').addEventListener('click', () => this.#swap())
    form.querySelector('[data-draft-keep]').addEventListener('click', () => this.#keep())
  }

  /** Whether another text waits to be chosen or refused. */
  get isOpen() { return Boolean(this.#other?.version) }

  /** Of the saved text that this one follows; empty where it follows none. */
  get #version() { return this.#form.elements.draft_version.value }

  set #version(version) { this.#form.elements.draft_version.value = version }

  get #values() {
    const { title, language } = this.#form.elements
    return { body: this.#field.value, title: title?.value ?? '', language: language?.value ?? '' }
  }

  get #text() { return JSON.stringify(this.#values) }

  /** What is not saved yet survives a reload in this tab. */
  #restore() {
    const left = JSON.parse(sessionStorage.getItem(this.#store))
    const kept = { version: this.#version, ...this.#values }
    if (left && !('draftUnsaved' in this.#form.dataset)) {
      this.#version = left.version
      this.#saved = left.saved
      this.#fill(left.values)
      this.meet(kept)
    }
    this.#written()
  }

  #written() {
    if (this.#isLast) return
    const values = this.#values
    const kept = { version: this.#version, saved: this.#saved, values }
    if (this.#text === this.#saved) sessionStorage.removeItem(this.#store)
    else if (this.#saved !== null || !isBlank(values)) {
      sessionStorage.setItem(this.#store, JSON.stringify(kept))
      this.#schedule()
    }
  }

  #schedule(pause = PAUSE_MS) {
    this.#since ||= Date.now()
    clearTimeout(this.#timer)
    const wait = Math.min(pause, this.#since + LONGEST_MS - Date.now())
    this.#timer = setTimeout(() => this.save(), wait)
  }

  /** Save now what is not saved. */
  async save() {
    clearTimeout(this.#timer)
    if (this.#held || this.isOpen || this.#request || this.#text === this.#saved) return
    this.#since = 0
    this.#sending = this.#text
    this.#request = this.#send(this.#sending)
    const again = await this.#request
    this.#request = null
    if (again !== null && this.#text !== this.#saved) this.#schedule(again)
  }

  /** Return after how long what is still unsaved should be sent; null: not before it changes. */
  async #send(text) {
    const { draft: context, draftUrl } = this.#form.dataset
    const { body, ...values } = JSON.parse(text)
    const fields = { ...values, post: body, context, draft_version: this.#version }
    try {
      // The page may be going away: the request goes on without it.
      const answer = await post(
        draftUrl, { ...fields, csrf_token: csrfToken() }, { keepalive: true }
      )
      if (answer.ok) this.#agree(answer.body.version, text)
      else if (answer.status === CONFLICT) this.meet(answer.body, true)
      else if (answer.status < SERVER_FAULT && answer.status !== TOO_MANY) return null
      return answer.ok || answer.status === CONFLICT ? PAUSE_MS : AGAIN_MS
    } catch {
      return AGAIN_MS
    }
  }

  #agree(version, text) {
    this.#version = version
    this.#saved = text
  }

  /** Take what the server keeps; `sure` where it has refused a version as none of its own. */
  meet(state, sure = false) {
    if (!sure && compare(state.version, this.#version) <= 0) return
    const values = valuesOf(state)
    const [theirs, mine] = [JSON.stringify(values), this.#text]
    if (theirs !== mine && (mine === this.#saved || isBlank(this.#values))) {
      this.#take(state.version, values)
    } else if (theirs === mine || theirs === this.#sending || isBlank(values)) {
      this.#agree(state.version, theirs)
      if (this.isOpen) this.#close()
      this.#written()
    } else this.#offer({ version: state.version, values })
  }

  #take(version, values) {
    this.#agree(version, JSON.stringify(values))
    this.#fill(values)
  }

  #fill({ body, title, language }) {
    const { elements } = this.#form
    this.#field.value = body
    if (elements.title) elements.title.value = title
    if (elements.language) elements.language.value = language
    this.#field.dispatchEvent(new Event('input', { bubbles: true }))
  }

  #offer(other) {
    const { values: { title, body } } = this.#other = other
    const choice = this.#form.querySelector('[data-draft-choice]')
    choice.querySelector('.draft-other').textContent = title ? `${title}\n${body}` : body
    if (choice.hidden) say(choice.querySelector('p').textContent)
    choice.hidden = false
  }

  #close() {
    this.#other = null
    this.#form.querySelector('[data-draft-choice]').hidden = true
  }

  /** Take the other text; one's own can be taken back. */
  #swap() {
    const { version, values } = this.#other
    const mine = this.#values
    if (version) this.#take(version, values)
    else this.#fill(values)
    this.#offer({ values: mine })
    this.#field.focus()
  }

  /** Let the other text go. */
  #keep() {
    const { version, values } = this.#other
    if (version) this.#agree(version, JSON.stringify(values))
    this.#close()
    this.#written()
    this.#field.focus()
  }

  async hold(isLast) {
    this.#held = true
    clearTimeout(this.#timer)
    await this.#request
    this.#isLast = isLast
    if (isLast) sessionStorage.removeItem(this.#store)
  }

  release() {
    this.#held = false
    this.#written()
  }

  sent() {
    this.#held = false
    this.#saved = JSON.stringify({ body: '', title: '', language: '' })
    this.#written()
    // What was written elsewhere was not sent: it is the draft now.
    if (!this.isOpen || !isBlank(this.#values)) return
    this.#take(this.#other.version, this.#other.values)
    this.#close()
  }

  async reread() {
    const { draft: context, draftUrl } = this.#form.dataset
    try {
      const answer = await fetch(`${draftUrl}/${context}`)
      if (answer.ok) this.meet(await answer.json())
    } catch {
      // Out of reach again: the next resync asks anew.
    }
  }
}
