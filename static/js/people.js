/*
 * People whose name or counts change while the page is open. What a live item says is the present
 * state, not a difference, so it is simply written where the page shows it.
 */

import { number } from './language.js'

/** Take { id, display_name, post_count, follower_count, following_count }. */
export function changed(person) {
  for (const element of document.querySelectorAll(`[data-user-id="${Number(person.id)}"]`)) {
    const { count } = element.dataset
    if (count && person[count] !== undefined) element.textContent = number(person[count])
    if ('name' in element.dataset && person.display_name) element.textContent = person.display_name
  }
}
