/*
 * Deleting one's own post: it leaves at once, and comes back with a message when refused.
 * Where the page shows that post alone, or without JavaScript, the form is posted as usual.
 */

import { say, toast } from './announce.js'
import { focusItem, leave, stay } from './feed.js'
import { csrfToken, post, reason } from './requests.js'

const GONE = [404, 410]

/** Begin: the buttons belong to the page's one form `act`. */
export function start() {
  document.querySelector('#act').addEventListener('submit', (event) => {
    const button = event.submitter
    if (!button?.matches('.feed:not([data-single], [data-keeps]) [data-delete]')) return
    event.preventDefault()
    remove(button)
  })
}

async function remove(button) {
  const item = button.closest('.feed-item')
  button.closest('details').open = false
  focusItem(item.nextElementSibling ?? item.previousElementSibling)
  leave(item)
  const refusal = await refused(button)
  if (!refusal) {
    item.remove()
    return say(button.dataset.deleted)
  }
  stay(item)
  toast(refusal)
}

/** Ask the server; return why it refused, or null when the post is gone. */
async function refused(button) {
  const { unreachable, refused: otherwise } = button.dataset
  try {
    const answer = await post(button.formAction, { csrf_token: csrfToken() })
    return answer.ok || GONE.includes(answer.status) ? null : reason(answer.body, otherwise)
  } catch {
    return unreachable
  }
}
