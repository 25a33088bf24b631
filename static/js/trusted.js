/*
 * The one door through which markup becomes elements (Trusted Types policy `microblog`).
 *
 * What comes in was rendered and cleaned by our own server: live frames, the answer to one's own
 * post, and a page fetched again. Everything else in static/js uses textContent and createElement.
 */

const policy = globalThis.trustedTypes?.createPolicy('microblog', { createHTML: (html) => html })
  ?? { createHTML: (html) => html }

/** Turn the server's markup of a part into a DocumentFragment. */
export function fragment(html) {
  const template = document.createElement('template')
  template.innerHTML = policy.createHTML(html)
  return document.importNode(template.content, true)
}

/** Turn the server's markup of a whole page into a Document (its scripts don't run). */
export function page(html) {
  return new DOMParser().parseFromString(policy.createHTML(html), 'text/html')
}
