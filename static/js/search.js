/*
 * The search box: people and hashtags are suggested while somebody types. Without this it is a
 * plain form, which is what it stays.
 */

const PAUSE_MS = 150

let asked = ''
let waiting = 0

/** Begin to suggest. */
export function start() {
  for (const field of document.querySelectorAll('[data-search]')) {
    field.addEventListener('input', () => {
      clearTimeout(waiting)
      waiting = setTimeout(suggest, PAUSE_MS, field)
    })
  }
}

/** Put the cursor into the search box; go to the search page where none is shown. */
export function focus() {
  const field = [...document.querySelectorAll('[data-search]')].find((box) => box.checkVisibility())
  if (field) {
    field.focus()
    field.select()
  } else {
    document.querySelector('[data-search-page]')?.click()
  }
}

async function suggest(field) {
  const text = field.value
  // Choosing a suggestion is an input too, and needs no other.
  if (text === asked || [...field.list.options].some((option) => option.value === text)) return
  asked = text
  let items = []
  if (text.trim()) {
    try {
      const query = new URLSearchParams({ q: text })
      const response = await fetch(`${field.dataset.search}?${query}`)
      if (response.ok) items = (await response.json()).items
    } catch {
      // Nothing is suggested while the server is out of reach.
    }
  }
  if (field.value !== text) return
  field.list.replaceChildren(...items.map((item) => {
    const option = document.createElement('option')
    option.value = item.value
    option.label = item.label
    return option
  }))
}
