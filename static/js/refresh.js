/*
 * Loading the page anew in place, when the server says `resync`: what is shown is replaced, while
 * text being written, the focus and the place where one reads stay.
 */

import { page } from './trusted.js'

const RETRY_SECONDS = 30
const CLIENT_ERRORS = [401, 403, 404, 410]

let refreshedAt = 0
let repeats = 0

const position = (body) => ({
  epoch: body.dataset.liveEpoch,
  cursor: body.dataset.liveCursor,
  topics: body.dataset.liveTopics,
})

/** Read where in the log this page stands: { epoch, cursor, topics }. */
export const currentPosition = () => position(document.body)

/** Load until it works; return the new position, or leave where the page is another's or gone. */
export async function refresh() {
  // Whoever asks again at once waits a little longer each time.
  repeats = Date.now() - refreshedAt < RETRY_SECONDS * 1000 ? repeats + 1 : 0
  refreshedAt = Date.now()
  if (repeats) await pause(repeats)
  for (let failures = 0; ; failures += 1) {
    try {
      const response = await fetch(location.href, { cache: 'no-store' })
      if (response.ok) return replace(page(await response.text()))
      // The page is gone, or no longer for this viewer: let its error page say so.
      if (CLIENT_ERRORS.includes(response.status)) return location.reload()
    } catch {
      // Not reachable now: wait and try again.
    }
    await pause(failures)
  }
}

function pause(failures) {
  const limit = Math.min(RETRY_SECONDS, 0.5 * 2 ** failures)
  return new Promise((done) => { setTimeout(done, Math.random() * limit * 1000) })
}

function replace(fresh) {
  // Logged out or in elsewhere: this page is no longer the viewer's. A draft survives the reload.
  if (fresh.body.dataset.viewer !== document.body.dataset.viewer) return location.reload()
  const restore = remember()
  for (const part of fresh.querySelectorAll('[data-refresh]')) {
    const old = document.querySelector(`[data-refresh="${part.dataset.refresh}"]`)
    old?.replaceWith(document.importNode(part, true))
  }
  const token = fresh.querySelector('[name=csrf_token]').value
  for (const field of document.querySelectorAll('[name=csrf_token]')) field.value = token
  document.title = fresh.title
  Object.assign(document.body.dataset, fresh.body.dataset)
  restore()
  return currentPosition()
}

/** Note the first item in view and the focused one; return what puts them back where they were. */
function remember() {
  const anchor = scrollY > 0 && [...document.querySelectorAll('.feed-item')]
    .find((item) => item.getBoundingClientRect().bottom > 0)
  const top = anchor && anchor.getBoundingClientRect().top
  const focused = document.activeElement?.closest('.feed-item')?.dataset.post
  const find = (id) => id && document.querySelector(`.feed-item[data-post="${CSS.escape(id)}"]`)
  const left = scrollY
  return () => {
    const again = anchor && find(anchor.dataset.post)
    if (again) scrollBy(0, again.getBoundingClientRect().top - top)
    else scrollTo(0, left)
    const item = find(focused)
    if (item) item.tabIndex = -1
    item?.focus({ preventScroll: true })
  }
}
