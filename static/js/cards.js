/*
 * A person's card beside their name: for the mouse that rests on a link to a person, for the keyboard
 * that comes to it, and for a finger that stays on it. A click or a tap still leads to the profile.
 *
 * The card follows its link in the document, so Tab goes into it, and it is above everything, so
 * nothing cuts it off. It stays while mouse or focus are on the link or on the card; Escape closes it
 * (WCAG 2.2, 1.4.13).
 */

import { fragment } from './trusted.js'

const OPEN_MS = 400
const CLOSE_MS = 300
const PRESS_MS = 450
const KEPT_MS = 30_000
const GAP_PX = 6
const PERSON = /^\/user\/[^/]+$/

const kept = new Map()
const card = document.createElement('div')
let link = null // whose card is open, or about to be
let timer
let pressed = null

/** Begin, where the browser can show something above everything. */
export function start() {
  if (!card.showPopover) return
  card.popover = 'manual'
  card.className = 'person-card'
  card.lang = document.documentElement.lang
  card.dir = 'ltr'
  card.setAttribute('role', 'group')
  document.addEventListener('pointerover', hovered)
  document.addEventListener('focusin', focused)
  document.addEventListener('pointerdown', touched)
  document.addEventListener('keydown', escaped)
  document.addEventListener('contextmenu', (event) => pressed && event.preventDefault())
  document.addEventListener('click', clicked, true)
  for (const kind of ['pointerup', 'pointercancel']) document.addEventListener(kind, released)
}

/** Return the link to a person that is meant, if it has a card. */
function personAt(target) {
  const found = target.closest?.('main a[href], .rail a[href]')
  const other = found && PERSON.test(found.pathname) && found.pathname !== location.pathname
  return other && !card.contains(found) ? found : null
}

function hovered({ target, pointerType }) {
  if (pointerType === 'touch') return
  if (card.contains(target) || (link && link.contains(target))) clearTimeout(timer)
  else if (personAt(target)) later(personAt(target), OPEN_MS)
  else if (!isFocused()) later(null, CLOSE_MS)
}

const isFocused = () => card.contains(document.activeElement) || link?.matches(':focus-visible')

function focused({ target }) {
  if (card.contains(target) || target === link) return clearTimeout(timer)
  if (target.matches(':focus-visible') && personAt(target)) later(target, OPEN_MS)
  else close()
}

function touched(event) {
  pressed = null
  if (!card.contains(event.target) && event.target.closest?.('a') !== link) close()
  const person = event.pointerType === 'touch' && personAt(event.target)
  if (person) later(person, PRESS_MS, () => { pressed = person })
}

/** A finger that left or began to scroll before its time meant something else. */
function released({ pointerType }) {
  if (pointerType === 'touch' && !pressed) clearTimeout(timer)
}

function clicked(event) {
  if (pressed?.contains(event.target)) event.preventDefault()
  pressed = null
}

function escaped(event) {
  if (event.key !== 'Escape') return
  clearTimeout(timer)
  if (card.contains(document.activeElement)) link.focus()
  close()
}

function later(person, ms, before) {
  clearTimeout(timer)
  timer = setTimeout(() => {
    before?.()
    if (person) open(person)
    else close()
  }, ms)
}

function close() {
  clearTimeout(timer)
  link = null
  card.remove()
}

async function open(person) {
  link = person
  const markup = await load(`${person.pathname}/popup`)
  if (!markup || link !== person || !person.isConnected) return
  card.replaceChildren(fragment(markup))
  card.ariaLabel = card.querySelector('[data-name]').textContent
  person.after(card)
  card.showPopover()
  place(person)
}

async function load(address) {
  const known = kept.get(address)
  if (known && Date.now() - known.at < KEPT_MS) return known.markup
  try {
    const response = await fetch(address)
    if (!response.ok) return null
    const markup = await response.text()
    kept.set(address, { markup, at: Date.now() })
    return markup
  } catch {
    return null // the link itself still leads on
  }
}

/** Below the link, or above it where there is no room; it scrolls along with the page. */
function place(person) {
  const { left, top, bottom } = person.getBoundingClientRect()
  const height = card.offsetHeight + GAP_PX
  const below = bottom + height < innerHeight || top < height
  card.style.setProperty('--x', `${left + scrollX}px`)
  card.style.top = `${(below ? bottom + GAP_PX : top - height) + scrollY}px`
}
