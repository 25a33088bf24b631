/*
 * The length of a post as the server counts it (core/text.py): grapheme clusters, and 23 for every
 * http(s) link. In Korean the sentence may go on right behind an address: see core/links.py.
 * Pure functions, used by compose.js; the server has the last word.
 */

const LINK_LENGTH = 23
const CJK = '[\\p{sc=Hangul}\\p{sc=Han}\\p{sc=Hiragana}\\p{sc=Katakana}]'
const RUN = /(?<![a-z\d.+-])https?:\/\/[^\s`<>\\^|]+/giu
const BEHIND_HOST = new RegExp(
  '(?:(?<=\\.)(?:xn--[a-z\\d-]{1,59}|[a-z]{2,24})|:\\d{1,5}|^localhost)'
  + `(?=${CJK})(?!.*\\.(?:[a-z]{2,24}|한국|삼성|닷컴|닷넷)(?:$|:|${CJK}))`, 'iu')
const END = /(?:[.,;:!?'"(]|(?<=[a-z\d]|^https?:\/\/[^/]+\/)(?:은|는|이|가|을|를|의|에|와|과|도|만|로|으로|에서|에게|부터|까지|처럼|보다|라는|라고|하고|에는|에도|에서는|에서도|으로는|로는|까지는|입니다|이에요|예요|이다|인데|이고))$/iu

const segmenter = Intl.Segmenter && new Intl.Segmenter(undefined, { granularity: 'grapheme' })

const clusters = (text) => [...(segmenter ? segmenter.segment(text) : text)].length

/** Count what a reader sees as one character, links as 23. */
export function length(text) {
  const links = [...text.matchAll(RUN)].map(([run]) => address(run)).filter(Boolean)
  return links.reduce((sum, link) => sum + LINK_LENGTH - clusters(link), clusters(text))
}

/** Return what of a run is an address: without the sentence that it stands in. */
function address(run) {
  const [scheme, host] = /^(.+?\/\/)([^/?#]*)/.exec(run).slice(1)
  if (!host) return ''
  const found = BEHIND_HOST.exec(host)
  let text = found ? scheme + host.slice(0, found.index + found[0].length) : run
  for (let before = ''; text !== before;) {
    before = text
    const open = text.split('(').length - text.split(')').length
    text = open < 0 && text.endsWith(')') ? text.slice(0, -1) : text.replace(END, '')
  }
  return text.length > scheme.length ? text : ''
}
