/*
 * The form for a question: questions like it are shown while the title is typed. Without this they
 * are shown with a form that comes back. drafts.js keeps its text.
 */

import * as drafts from './drafts.js'
import { fragment } from './trusted.js'

const PAUSE_MS = 300

const form = document.querySelector('.question-form')
const place = document.querySelector('#similar')
let waiting = 0

/** Begin, where the page has the form. */
export function start() {
  form?.elements.title.addEventListener('input', (event) => {
    clearTimeout(waiting)
    waiting = setTimeout(suggest, PAUSE_MS, event.target)
  })
  form?.addEventListener('submit', async (event) => {
    event.preventDefault()
    await drafts.hold(form, true)
    form.submit()
  })
}

async function suggest(field) {
  const title = field.value
  try {
    const response = await fetch(`${place.dataset.similar}?${new URLSearchParams({ title })}`)
    if (response.ok && field.value === title) place.replaceChildren(fragment(await response.text()))
  } catch {
    // Nothing is suggested while the server is out of reach.
  }
}
