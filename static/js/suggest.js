/*
 * Suggestions while somebody types `@` and a name, or `#` and a word, in a text field that has the
 * attribute `data-suggest`. Where to ask, and the words, are data attributes of the template
 * `suggesting` in base.html.
 *
 * The pattern is WAI-ARIA's list of suggestions: the focus stays in the field, which names the
 * option that is marked (aria-activedescendant). A field of several lines can be no `combobox`, so
 * that there are suggestions is said. For `@` the first is marked at once; a hashtag may be new, so
 * there the keys mark one. While an input method composes, as for Hangul, all keys are its own: the
 * list follows what is composed, and nothing is put in.
 */

import { say } from './announce.js'
import { plural } from './language.js'

const PAUSE_MS = 120
const BEGUN = /(?:^|[^\p{L}\p{N}\p{M}_@#&/])([@#])([\p{L}\p{N}\p{M}_]{1,50})$/u

const words = document.querySelector('#suggesting')
const list = document.createElement('ul')
let field = null // of which the list is open
let token = null // { start, mark, name }
let items = []
let marked = -1
let composing = false
let asked = 0
let timer

/** Begin to suggest, in fields that are there and that will be. */
export function start() {
  if (!words) return
  Object.assign(list, { id: 'suggestions', className: 'suggestions', role: 'listbox' })
  list.ariaLabel = words.dataset.label
  list.addEventListener('mousedown', (event) => event.preventDefault()) // the focus stays
  list.addEventListener('click', (event) => choose([...list.children].indexOf(
    event.target.closest('li'))))
  document.addEventListener('input', ({ target, isComposing }) => {
    if (target.matches('[data-suggest]')) look(target, isComposing)
  })
  document.addEventListener('compositionend', () => { composing = false })
  document.addEventListener('keydown', onKey, { capture: true })
  document.addEventListener('focusout', close)
  document.addEventListener('selectionchange', () => {
    if (field && begun(field)?.start !== token.start) close()
  })
}

function look(target, isComposing) {
  composing = isComposing
  clearTimeout(timer)
  asked += 1
  if (begun(target)) timer = setTimeout(ask, PAUSE_MS, target, asked)
  else close()
}

/** Return what is begun before the cursor: { start, mark, name }. */
function begun({ value, selectionStart, selectionEnd }) {
  if (selectionStart !== selectionEnd) return null
  const found = BEGUN.exec(value.slice(Math.max(0, selectionStart - 60), selectionStart))
  if (!found) return null
  const [, mark, name] = found
  return { start: selectionStart - name.length - 1, mark, name }
}

async function ask(target, number) {
  const now = begun(target)
  if (!now) return
  let found = []
  try {
    const address = now.mark === '@' ? words.dataset.people : words.dataset.tags
    const answer = await fetch(`${address}?${new URLSearchParams({ q: now.name })}`)
    if (answer.ok) found = (await answer.json()).items
  } catch {
    // Nothing is suggested while the server is out of reach.
  }
  if (number !== asked || document.activeElement !== target) return
  // Half a syllable begins no name; the next letter may.
  if (!found.length && composing && field) return
  found = found.filter(({ value }) => value !== now.mark + now.name)
  if (found.length) open(target, now, found)
  else close()
}

function open(target, now, found) {
  const before = field ? items.length : 0
  field = target
  token = now
  items = found
  list.replaceChildren(...items.map(option))
  target.after(list)
  list.style.top = `${target.offsetTop + target.offsetHeight}px`
  target.ariaAutoComplete = 'list'
  target.setAttribute('aria-controls', list.id)
  mark(now.mark === '@' ? 0 : -1)
  if (items.length !== before) say(plural(words, items.length))
}

function close() {
  asked += 1
  if (!field) return
  list.remove()
  for (const name of ['controls', 'activedescendant']) field.removeAttribute(`aria-${name}`)
  field = null
}

function option({ value, name, avatar }, number) {
  const element = document.createElement('li')
  element.id = `suggestion-${number}`
  element.role = 'option'
  if (avatar) {
    const picture = Object.assign(new Image(32, 32), { src: avatar, alt: '', className: 'avatar' })
    element.append(picture)
  }
  for (const text of name ? [name, value] : [value]) {
    const part = document.createElement('span')
    part.textContent = text
    element.append(part)
  }
  return element
}

function mark(number) {
  marked = number
  for (const [at, element] of [...list.children].entries()) element.ariaSelected = at === number
  const chosen = list.children[number]
  if (chosen) field.setAttribute('aria-activedescendant', chosen.id)
  else field.removeAttribute('aria-activedescendant')
  chosen?.scrollIntoView({ block: 'nearest' })
}

function onKey(event) {
  if (event.target !== field || event.isComposing) return
  if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key]
  if (step) mark((marked + step + (marked < 0 && step < 0 ? 1 : 0) + items.length) % items.length)
  else if (event.key === 'Escape') close()
  else if (['Enter', 'Tab'].includes(event.key) && marked >= 0) choose(marked)
  else return
  event.preventDefault()
  event.stopPropagation()
}

function choose(number) {
  const item = items[number]
  if (!item) return
  const target = field
  if (composing) {
    // What is composed ends here, by the field's losing the focus for a moment.
    target.blur()
    target.focus()
    composing = false
  }
  const end = target.selectionStart
  const space = /^\s/.test(target.value.slice(end)) ? '' : ' '
  target.setRangeText(item.value + space, token.start, end, 'end')
  close()
  target.dispatchEvent(new Event('input', { bubbles: true }))
}
