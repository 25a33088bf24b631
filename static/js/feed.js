/*
 * The feed: new posts come in from above, deleted ones leave, and nothing moves under the reader.
 *
 * At the top of the page a new post slides in. Scrolled away, or with the keyboard in the feed, it
 * waits behind the pill "3 new posts". A post is shown once, whoever brings it first: the live
 * connection or the answer to one's own submit.
 */

import { say } from './announce.js'
import { compare } from './cursor.js'
import { plural } from './language.js'
import { fragment } from './trusted.js'

const TOP_PX = 24
const MOST_WAITING = 200
const MOST_SHOWN = 400

const pill = document.querySelector('#new-posts')
const viewer = document.body.dataset.viewer
let waiting = []
let reload = () => location.reload()

const feed = () => document.querySelector('#feed')
const fits = (html) => !feed().dataset.only || fragment(html).querySelector(feed().dataset.only)
const takesNew = () => feed()?.hasAttribute('data-live')
const isShown = (id) => Boolean(feed()?.querySelector(`[data-post="${CSS.escape(id)}"]`))
const isWaiting = (id) => waiting.some((post) => compare(post.id, id) === 0)
const stopWaiting = (id) => { waiting = waiting.filter((post) => compare(post.id, id) !== 0) }

/** Begin; `reloadInPlace` is called where more posts wait than are worth keeping. */
export function start(reloadInPlace) {
  reload = reloadInPlace
  pill?.addEventListener('click', showWaiting)
  addEventListener('scroll', () => canSlideIn() && flush(), { passive: true })
}

/** Take a post of the live connection: { id, author_id, html }. */
export function published(post) {
  if (!takesNew() || isShown(post.id) || isWaiting(post.id) || !fits(post.html)) return
  waiting.push(waiting.length < MOST_WAITING ? post : { id: post.id })
  if (canSlideIn()) flush()
  else showPill()
}

/** Show one's own post at once, wherever the reader is. */
export function publishedHere(post) {
  stopWaiting(post.id)
  if (takesNew() && !isShown(post.id)) insert([{ ...post, author_id: viewer }])
  showPill()
}

/** Take a post that changed: { id, author_id, html }. It may belong in the list no more, or now. */
export function edited(post) {
  const old = document.getElementById(`post-${post.id}`)
  waiting = waiting.map((one) => (compare(one.id, post.id) === 0 ? post : one))
  if (old && old.closest('#feed') && !fits(post.html)) return takeAway(old.closest('.feed-item'))
  old?.replaceWith(fragment(post.html))
  if (!old && feed()?.dataset.only && takesNew() && isWithin(post.id) && fits(post.html)) insert([post])
}

/** Tell whether an item of this id would stand on this page, and not on an older one. */
const isWithin = (id) => !document.querySelector('#older')
  || compare(id, feed().lastElementChild?.dataset.post ?? '0') > 0

/** Take a deleted post away: { id }. */
export function deleted({ id }) {
  stopWaiting(id)
  showPill()
  const item = document.getElementById(`post-${id}`)?.closest('.feed-item')
  if (!item) return
  const gone = item.closest('[data-single]') && document.querySelector('#post-gone')
  if (gone) item.replaceChildren(gone.content.cloneNode(true))
  else takeAway(item)
}

function takeAway(item) {
  leave(item).then(() => item.remove())
}

/** Take away all that somebody wrote who is gone. */
export function departed(authorId) {
  waiting = waiting.filter((post) => String(post.author_id) !== authorId)
  showPill()
  for (const item of document.querySelectorAll(`.post[data-author-id="${Number(authorId)}"]`)) {
    deleted({ id: item.dataset.id })
  }
}

/** Fold an item away; it stays in the page, so that it can come back. */
export function leave(item) {
  item.inert = true
  item.classList.add('is-leaving')
  return Promise.allSettled(item.getAnimations().map((animation) => animation.finished))
}

/** Bring a folded item back. */
export function stay(item) {
  item.inert = false
  item.classList.remove('is-leaving')
}

/** Forget what waits: the feed was loaded anew and holds it. */
export function reset() {
  waiting = []
  showPill()
}

function canSlideIn() {
  return waiting.length > 0 && waiting.length <= MOST_WAITING
    && scrollY < TOP_PX && !feed()?.querySelector(':focus-visible, details[open]')
}

function flush() {
  const posts = waiting
  waiting = []
  // At the very top the browser doesn't anchor the scroll, so what is new comes into view.
  scrollTo(0, 0)
  insert(posts)
  showPill()
}

function insert(posts) {
  for (const post of posts) if (!isShown(post.id)) place(item(post))
  trim()
}

/** Put an item where its id belongs, newest first. */
function place(element) {
  const { post } = element.dataset
  const older = [...feed().children].find((other) => compare(other.dataset.post, post) < 0)
  feed().insertBefore(element, older ?? null)
}

/** Make an item of a post, with what its author may do where it is one's own. */
export function item(post) {
  const element = document.createElement('li')
  element.className = 'feed-item is-new'
  element.dataset.post = post.id
  element.append(fragment(post.html))
  if (viewer && String(post.author_id) === viewer) element.append(ownActions(post.id))
  element.addEventListener('animationend', () => element.classList.remove('is-new'), { once: true })
  return element
}

function ownActions(id) {
  const actions = document.querySelector('#own-actions').content.cloneNode(true)
  for (const button of actions.querySelectorAll('[formaction]')) {
    button.setAttribute('formaction', button.getAttribute('formaction').replace('/0/', `/${id}/`))
  }
  return actions
}

/** Keep a page that is open all day small, if its link to older posts can follow. */
function trim() {
  const link = document.querySelector('#older')
  if (scrollY > TOP_PX || feed().children.length <= MOST_SHOWN || !link) return
  const address = new URL(link.href)
  if (address.searchParams.get('before') !== feed().lastElementChild.dataset.post) return
  while (feed().children.length > MOST_SHOWN / 2) feed().lastElementChild.remove()
  address.searchParams.set('before', feed().lastElementChild.dataset.post)
  link.href = address
}

function showPill() {
  if (!pill) return
  if (pill.hidden && waiting.length) say(plural(pill, waiting.length))
  pill.hidden = waiting.length === 0
  if (waiting.length) pill.querySelector('span').textContent = plural(pill, waiting.length)
}

async function showWaiting(event) {
  const tooMany = waiting.length > MOST_WAITING
  scrollTo(0, 0)
  if (tooMany) await reload()
  else insert(waiting)
  reset()
  // A click of the keyboard has no count; a focus left by the mouse would hold later posts back.
  if (event.detail === 0) focusItem(feed().firstElementChild)
}

/** Move the focus to an item of the feed. */
export function focusItem(element, options = { preventScroll: true }) {
  if (!element) return
  element.tabIndex = -1
  element.focus(options)
}
