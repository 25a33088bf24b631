/*
 * The entry: starts each behaviour, and joins the live connection to those that show its items.
 * The page is complete without any of this; only liveness and comfort are added.
 */

import * as compose from './compose.js'
import * as deletes from './deletes.js'
import * as feed from './feed.js'
import * as jobs from './jobs.js'
import * as keyboard from './keyboard.js'
import { Live } from './live.js'
import * as menus from './menus.js'
import * as notifications from './notifications.js'
import * as people from './people.js'
import { currentPosition, refresh } from './refresh.js'
import * as search from './search.js'
import { showState } from './status.js'
import * as translate from './translate.js'

async function reloadInPlace() {
  const position = await refresh()
  feed.reset()
  notifications.showUnread(Number(document.body.dataset.unreadCount))
  return position
}

function connect(position) {
  const live = new Live(position, document.documentElement.lang)
  const on = (kind, action) => live.addEventListener(kind, (event) => action(event.detail))
  on('post.published', feed.published)
  on('post.edited', feed.edited)
  on('post.counts', feed.counted)
  on('post.deleted', feed.deleted)
  on('user.changed', people.changed)
  on('notification', notifications.arrived)
  on('notification.read', notifications.readOne)
  on('notifications.read', notifications.read)
  on('job', jobs.changed)
  on('state', showState)
  on('resync', async () => {
    const fresh = await reloadInPlace()
    if (fresh?.epoch) live.resume(fresh)
  })
  live.start()
}

menus.start()
keyboard.start()
search.start()
compose.start()
deletes.start()
notifications.start()
translate.start()
feed.start(reloadInPlace)

const position = currentPosition()
if (position.epoch) connect(position)
