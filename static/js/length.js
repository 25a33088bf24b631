/*
 * The length of a post as the server counts it: grapheme clusters, and 23 for every http(s) link.
 * Pure functions, used by compose.js; the server has the last word.
 */

const LINK = /\bhttps?:\/\/[^\s<>"]*[^\s<>".,;:!?']/giu
const LINK_LENGTH = 23

const segmenter = Intl.Segmenter && new Intl.Segmenter(undefined, { granularity: 'grapheme' })

const clusters = (text) => [...(segmenter ? segmenter.segment(text) : text)].length

/** Count what a reader sees as one character, links as 23. */
export function length(text) {
  const links = text.match(LINK) ?? []
  return clusters(text.replace(LINK, '')) + links.length * LINK_LENGTH
}
