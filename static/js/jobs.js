/*
 * How far one's own jobs have come: the part of a page that shows one, by its kind, is replaced by
 * what the server says it is now. While it goes on only the bar and the words change, so that the
 * focus stays on the button that stops it.
 */

import { say } from './announce.js'
import { compare } from './cursor.js'
import { fragment } from './trusted.js'

/** Take a job: { id, kind, state, html }. */
export function changed({ id, kind, html }) {
  const shown = document.getElementById(`job-${kind}`)
  if (!shown || compare(id, shown.dataset.job) < 0) return
  const fresh = fragment(html).firstElementChild
  const same = ['job', 'state'].every((name) => shown.dataset[name] === fresh.dataset[name])
  if (same && !fresh.dataset.final) moveOn(shown, fresh)
  else replace(shown, fresh)
}

function moveOn(shown, fresh) {
  for (const name of ['.job-bar', '.job-words']) {
    const [old, now] = [shown, fresh].map((part) => part.querySelector(name))
    if (old.value !== undefined) old.value = now.value
    else old.textContent = now.textContent
  }
}

function replace(shown, fresh) {
  const hadFocus = shown.contains(document.activeElement)
  shown.replaceWith(fresh)
  if (hadFocus) fresh.focus({ preventScroll: true })
  if (fresh.dataset.final) say(fresh.querySelector('.job-words').textContent)
}
