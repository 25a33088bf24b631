/*
 * People whose name, picture or counts change while the page is open. What a live item says is the
 * present state, not a difference, so it is simply written where the page shows it. And people who
 * go: all that is theirs leaves the page; when they are back, a page that may have shown it is
 * loaded anew.
 */

import { compare } from './cursor.js'
import * as feed from './feed.js'
import { number } from './language.js'

const RETURN_SECONDS = 2
const SMALL_PX = 48

/**
 * Take { id, username, display_name, avatar, portrait, post_count, follower_count,
 * following_count }.
 */
export function changed(person) {
  for (const element of document.querySelectorAll(`[data-user-id="${Number(person.id)}"]`)) {
    const { count } = element.dataset
    if (count && person[count] !== undefined) element.textContent = number(person[count])
    if ('handle' in element.dataset && person.username) element.textContent = `@${person.username}`
    if (element.matches('img')) show(element, person)
    if ('name' in element.dataset && person.display_name) element.textContent = person.display_name
  }
}

/** Take { id, present, newest }: a person is gone, or there; `newest` is the id of their last post. */
export function presence(person, reload) {
  const isTheirPage = document.body.dataset.liveTopics.split(',').includes(`user:${person.id}`)
  if (!person.present) {
    feed.departed(person.id)
    const theirs = `[data-user-id="${Number(person.id)}"]`
    for (const item of document.querySelectorAll('.person, .notification')) {
      if (item.querySelector(theirs)) item.remove()
    }
  }
  // Not all pages at once: the server has one answer for each.
  if (isTheirPage || (person.present && mayShow(person))) {
    setTimeout(reload, Math.random() * RETURN_SECONDS * 1000)
  }
}

function mayShow({ newest }) {
  const oldest = document.querySelector('#feed')?.lastElementChild?.dataset.post
  if (oldest) return Boolean(newest) && compare(newest, oldest) >= 0
  return Boolean(document.querySelector('#feed, .people, #notifications'))
}

function show(image, { avatar, portrait }) {
  const address = image.width > SMALL_PX ? portrait : avatar
  if (address && image.getAttribute('src') !== address) image.src = address
}
