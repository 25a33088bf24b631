/*
 * The answers on a question's page: the accepted one first, then the oldest. New ones come in at
 * the end, and which one is accepted is what the question itself says.
 */

import { compare } from './cursor.js'
import { item } from './feed.js'
import { plural } from './language.js'

const list = () => document.querySelector('#answers')
const isQuestion = (id) => list()?.dataset.questionId === String(id)
const isShown = (id) => Boolean(list().querySelector(`[data-post="${CSS.escape(id)}"]`))

/** Take a post of the live connection: { id, author_id, html }. On this page it is an answer. */
export function published(post) {
  if (!list()?.hasAttribute('data-live') || isQuestion(post.id) || isShown(post.id)) return
  const element = item(post)
  const tools = document.querySelector('#answer').content.cloneNode(true)
  for (const button of tools.querySelectorAll('[value="0"]')) button.value = post.id
  element.append(tools)
  place(element)
}

/** Show one's own answer at once. */
export function answeredHere(post) {
  published({ ...post, author_id: document.body.dataset.viewer })
}

/** Take a post that changed: of the question, which answer is accepted. */
export function edited({ id }) {
  if (!isQuestion(id)) return
  const { accepted } = document.querySelector(`#post-${id} [data-question]`).dataset
  for (const element of [...list().children]) {
    const tools = element.querySelector('.answer')
    const now = element.dataset.post === accepted
    if (now === tools.hasAttribute('data-accepted')) continue
    tools.toggleAttribute('data-accepted', now)
    place(element)
  }
}

/** Take how many answers there are: { id, counts }. */
export function counted({ id, counts }) {
  if (!isQuestion(id)) return
  const title = document.querySelector('#answers-title')
  title.textContent = plural(title, counts.replies)
}

/** Put an answer where it belongs: the accepted one first, the others by age. */
function place(element) {
  const isFirst = (other) => other.querySelector('.answer').hasAttribute('data-accepted')
  const later = (other) => other !== element && !isFirst(other)
    && (isFirst(element) || compare(other.dataset.post, element.dataset.post) > 0)
  list().insertBefore(element, [...list().children].find(later) ?? null)
}
