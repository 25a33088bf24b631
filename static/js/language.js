/*
 * Numbers and plurals in the page's language. The words themselves come from the server, in data
 * attributes; `{n}` in them stands for the number.
 */

const language = document.documentElement.lang || 'en'
const numbers = new Intl.NumberFormat(language)
const plurals = new Intl.PluralRules(language)

/** Write a number as the page's language does. */
export const number = (n) => numbers.format(n)

/** Choose among the forms `data-one`, `data-few` … of an element, and fill in the number. */
export function plural(element, n) {
  return fill(element.dataset[plurals.select(n)] ?? element.dataset.other, n)
}

/** Put the number into words that hold `{n}`. */
export const fill = (words, n) => words.replace('{n}', number(n))
