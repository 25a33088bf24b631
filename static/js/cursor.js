/*
 * Positions in the server's event log. Pure functions, used by live.js and feed.js.
 *
 * An id or cursor is a decimal string: it may be greater than Number can hold exactly, so it is
 * compared by length first and then as text.
 */

const trim = (id) => String(id ?? '').replace(/^0+(?=\d)/, '')

/** Tell the order of two ids: negative, 0 or positive. A missing id comes before all others. */
export function compare(a, b) {
  const [left, right] = [trim(a), trim(b)]
  if (left.length !== right.length) return left.length - right.length
  return left < right ? -1 : left > right ? 1 : 0
}

/** Say whether `id` lies after `cursor`. */
export const isAfter = (id, cursor) => compare(id, cursor) > 0

/** Return the later of two cursors. */
export const later = (a, b) => (isAfter(b, a) ? b : a)
