/*
 * The entry: starts each behaviour, and joins the live connection to those that show its items.
 * The page is complete without any of this; only liveness and comfort are added.
 */

import { showState } from './announce.js'
import * as answers from './answers.js'
import * as asking from './asking.js'
import * as cards from './cards.js'
import * as compose from './compose.js'
import * as deletes from './deletes.js'
import * as drafts from './drafts.js'
import * as feed from './feed.js'
import * as jobs from './jobs.js'
import * as keyboard from './keyboard.js'
import { Live } from './live.js'
import * as menus from './menus.js'
import * as messages from './messages.js'
import * as notifications from './notifications.js'
import * as people from './people.js'
import * as pictures from './pictures.js'
import { currentPosition, refresh } from './refresh.js'
import * as search from './search.js'
import * as suggest from './suggest.js'
import * as translate from './translate.js'
import { fragment } from './trusted.js'

async function reloadInPlace() {
  const position = await refresh()
  feed.reset()
  drafts.reread()
  notifications.refreshed()
  messages.showUnread(Number(document.body.dataset.unreadMessages))
  messages.shown()
  return position
}

function connect(position) {
  const live = new Live(position, document.documentElement.lang)
  const on = (kind, action) => live.addEventListener(kind, (event) => action(event.detail))
  on('post.published', (post) => { feed.published(post); answers.published(post) })
  on('post.edited', (post) => { feed.edited(post); answers.edited(post) })
  on('post.counts', (post) => { feed.counted(post); answers.counted(post) })
  on('post.deleted', feed.deleted)
  on('user.changed', people.changed)
  on('user.presence', (person) => people.presence(person, renew))
  on('user.profile', people.changed)
  on('notification', notifications.arrived)
  on('notification.read', notifications.readOne)
  on('notifications.read', notifications.read)
  on('job', jobs.changed)
  on('draft', drafts.changed)
  on('message', messages.arrived)
  on('message.deleted', messages.deleted)
  on('conversation', messages.changed)
  on('typing', messages.typing)
  on('figures', ({ html }) => document.getElementById('figures')?.replaceWith(fragment(html)))
  on('state', showState)
  on('state', (state) => state === 'connected' && drafts.saveAll())
  const renew = async () => {
    const fresh = await reloadInPlace()
    if (fresh?.epoch) live.resume(fresh)
  }
  on('resync', renew)
  live.start()
  messages.start((frame) => live.say(frame))
}

menus.start()
keyboard.start()
search.start()
drafts.start()
asking.start()
compose.start()
suggest.start()
deletes.start()
notifications.start()
translate.start()
pictures.start()
cards.start()
feed.start(reloadInPlace)

const position = currentPosition()
if (position.epoch) connect(position)
