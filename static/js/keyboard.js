/*
 * Shortcuts: / search, n compose, j and k next and previous, g h home, ? help (a popover in base.html).
 * None while typing, and none with a modifier, which belongs to the browser.
 */

import { focus as compose } from './compose.js'
import { focusItem } from './feed.js'
import { focus as search } from './search.js'

const SEQUENCE_MS = 1000

let goAt = 0

const shortcuts = {
  '/': search,
  n: compose,
  j: () => step(1),
  k: () => step(-1),
  g: () => { goAt = Date.now() },
  h: () => { if (Date.now() - goAt < SEQUENCE_MS) document.querySelector('[data-home]').click() },
  '?': () => document.querySelector('#shortcuts').togglePopover(),
}

/** Begin to listen. */
export function start() {
  document.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return
    if (event.target.closest('input, textarea, select, [contenteditable]')) return
    if (!Object.hasOwn(shortcuts, event.key)) return
    event.preventDefault()
    shortcuts[event.key]()
  })
}

function step(direction) {
  // The posts below an empty home are hidden once it has one of its own.
  const items = [...document.querySelectorAll('.feed-item')].filter((item) => item.checkVisibility())
  if (!items.length) return
  const current = items.indexOf(document.activeElement?.closest('.feed-item'))
  // Without a focus, begin with the first item that is in view.
  const inView = items.findIndex((item) => item.getBoundingClientRect().bottom > innerHeight / 5)
  const next = current < 0 ? inView : current + direction
  focusItem(items[Math.max(0, Math.min(next, items.length - 1))], {})
}
