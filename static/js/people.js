/*
 * People whose name, picture or counts change while the page is open. What a live item says is the present
 * state, not a difference, so it is simply written where the page shows it.
 */

import { number } from './language.js'

const SMALL_PX = 48

/** Take { id, display_name, avatar, portrait, post_count, follower_count, following_count }. */
export function changed(person) {
  for (const element of document.querySelectorAll(`[data-user-id="${Number(person.id)}"]`)) {
    const { count } = element.dataset
    if (count && person[count] !== undefined) element.textContent = number(person[count])
    if (element.matches('img')) show(element, element.width > SMALL_PX ? person.portrait : person.avatar)
    if ('name' in element.dataset && person.display_name) element.textContent = person.display_name
  }
}

function show(image, address) {
  if (address && image.getAttribute('src') !== address) image.src = address
}
