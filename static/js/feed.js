/*
 * The feed: new posts come in from above, deleted ones leave, and nothing moves under the reader.
 *
 * At the top of the page a new post slides in. Scrolled away, or with the keyboard in the feed, it
 * waits behind the pill "3 new posts"; a reply comes in at the end of its conversation. A post is
 * shown once, whoever brings it first: the live connection or the answer to one's own submit.
 */

import { say } from './announce.js'
import { compare } from './cursor.js'
import { number, plural } from './language.js'
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
const answersOf = (list) => list.dataset.answers
const isWaiting = (id) => waiting.some((post) => compare(post.id, id) === 0)
const stopWaiting = (id) => { waiting = waiting.filter((post) => compare(post.id, id) !== 0) }

/** Begin; `reloadInPlace` is called where more posts wait than are worth keeping. */
export function start(reloadInPlace) {
  reload = reloadInPlace
  pill?.addEventListener('click', showWaiting)
  addEventListener('scroll', () => canSlideIn() && flush(), { passive: true })
}

/** Take a post of the live connection: { id, author_id, reply_to, reply_to_author, html }. */
export function published(post) {
  if (!takesNew() || !belongs(post) || isShown(post.id) || isWaiting(post.id)) return
  if (!fits(post.html)) return
  // At the end of a conversation nothing moves under the reader.
  if (answersOf(feed())) return insert([post])
  waiting.push(waiting.length < MOST_WAITING ? post : { id: post.id })
  if (canSlideIn()) flush()
  else showPill()
}

/** Show one's own post at once, wherever the reader is. */
export function publishedHere(post) {
  stopWaiting(post.id)
  if (takesNew() && belongs(post) && !isShown(post.id)) insert([post])
  showPill()
}

/** Take what a post says now: as `published`. It may belong in the list no more, or now. */
export function edited(post) {
  waiting = waiting.map((one) => (one.html && compare(one.id, post.id) === 0 ? post : one))
  const article = document.getElementById(`post-${post.id}`)
  if (!article) {
    if (feed()?.dataset.only && takesNew() && isWithin(post.id) && fits(post.html)) insert([post])
    return
  }
  const item = article.closest('.feed-item')
  if (item.closest('#feed') && !fits(post.html)) return takeAway(item)
  const hadFocus = article.contains(document.activeElement)
  article.replaceWith(fragment(post.html))
  if (hadFocus) focusItem(item)
}

/** Tell whether an item of this id would stand on this page, and not on an older one. */
const isWithin = (id) => !document.querySelector('#older')
  || compare(id, feed().lastElementChild?.dataset.post ?? '0') > 0

/** Take how many replies a post has: { id, counts: { replies } }. */
export function counted({ id, counts }) {
  const late = waiting.find((post) => compare(post.id, id) === 0)
  if (late) late.counts = counts
  for (const element of document.querySelectorAll(`[data-replies="${CSS.escape(id)}"]`)) {
    element.textContent = counts.replies ? number(counts.replies) : ''
  }
}

/** Take a deleted post away; in a conversation it keeps its place: { id, counts }. */
export function deleted({ id, counts }) {
  stopWaiting(id)
  showPill()
  const item = document.getElementById(`post-${id}`)?.closest('.feed-item')
  if (!item) return
  const gone = document.querySelector('#post-gone')
  const keeps = counts?.replies || item.closest('[data-keeps], [data-single]')
  if (gone && keeps) item.replaceChildren(about(gone, id))
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

/** Tell whether this feed is the place for a post: the server chooses by topic, the page by kind. */
function belongs(post) {
  if (answersOf(feed())) return post.reply_to === answersOf(feed())
  if (!('withoutReplies' in feed().dataset)) return true
  return [null, post.author_id].includes(post.reply_to_author)
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
  for (const post of posts) {
    if (isShown(post.id)) continue
    place(item(post))
    if (post.counts) counted(post)
  }
  trim()
}

/** Put an item where its id belongs: newest first, but replies oldest first. */
function place(element) {
  const sign = answersOf(feed()) ? -1 : 1
  const isNext = (other) => sign * compare(other.dataset.post, element.dataset.post) < 0
  feed().insertBefore(element, [...feed().children].find(isNext) ?? null)
}

/** Make an item of a post, with what its author may do where it is one's own. */
export function item(post) {
  const element = document.createElement('li')
  element.className = 'feed-item is-new'
  element.dataset.post = post.id
  element.append(fragment(post.html))
  if (viewer && String(post.author_id) === viewer) element.append(about(document.querySelector('#own-actions'), post.id))
  element.addEventListener('animationend', () => element.classList.remove('is-new'), { once: true })
  return element
}

/** Copy a template whose addresses name the post 0, for the post `id`. */
function about(template, id) {
  const copy = template.content.cloneNode(true)
  for (const name of ['formaction', 'href']) {
    for (const element of copy.querySelectorAll(`[${name}]`)) {
      element.setAttribute(name, element.getAttribute(name).replace(/\/0(?=\/|$)/, `/${id}`))
    }
  }
  return copy
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
