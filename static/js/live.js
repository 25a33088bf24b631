/*
 * The page's one connection to the server's event log (WebSocket `/live`).
 *
 * It remembers a cursor: every reconnect asks for what came after it, so nothing is missed, and an
 * item at or before it is dropped, so nothing is shown twice. It touches no element; main.js joins
 * its events to the modules that do. Events (detail):
 *
 *   <item kind>  data of the item, such as `post.published`
 *   typing       { from }: somebody is writing; a whisper, of no position
 *   figures      { html }: what the server counted, for administrators who look at it; likewise
 *   state        'connected', 'reconnecting', 'offline' or 'ended' (the session is over)
 *   resync       the server's reason: the page must be loaded anew, then call `resume`
 */

import { isAfter, later } from './cursor.js'

const SUBPROTOCOL = 'microblog.html.v1'
const RESTARTING = 1012
const FULL = 1013
const SESSION_ENDED = 4001
const GRACE_SECONDS = 5

export class Live extends EventTarget {
  #position
  #language
  #socket = null
  #state = null
  #failures = 0
  #heartbeatSeconds = 25
  #heardAt = 0
  #retryTimer
  #silenceTimer
  #paused = true

  /** `position`: { epoch, cursor, topics }, as the page was rendered. */
  constructor(position, language) {
    super()
    this.#position = position
    this.#language = language
  }

  /** Connect, and stay connected for as long as the page is shown. */
  start() {
    addEventListener('online', () => this.#nudge())
    addEventListener('offline', () => this.#socket || this.#setState('offline'))
    document.addEventListener('visibilitychange', () => document.hidden || this.#nudge())
    // An open socket keeps a page out of the back/forward cache; its cursor survives there.
    addEventListener('pagehide', () => this.#pause())
    addEventListener('pageshow', (event) => event.persisted && this.#unpause())
    this.#unpause()
  }

  /** Go on from a page that was loaded anew. */
  resume(position) {
    this.#position = position
    this.#unpause()
  }

  /** Send a frame that may get lost. */
  say(frame) {
    if (this.#state === 'connected') this.#socket?.send(JSON.stringify(frame))
  }

  #pause() {
    this.#paused = true
    this.#drop()
  }

  #unpause() {
    this.#paused = false
    this.#open()
  }

  /** Reconnect at once if there is no connection, or one that has been silent for too long. */
  #nudge() {
    if (this.#paused || this.#state === 'ended') return
    const silent = Date.now() - this.#heardAt > (this.#heartbeatSeconds + GRACE_SECONDS) * 1000
    if (this.#socket?.readyState !== WebSocket.CONNECTING && (!this.#socket || silent)) this.#open()
  }

  #open() {
    this.#drop()
    const { epoch, cursor, topics } = this.#position
    const url = new URL('/live', location.href)
    url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:'
    url.search = new URLSearchParams({ since: cursor, epoch, topics, lang: this.#language })
    const socket = new WebSocket(url, SUBPROTOCOL)
    this.#socket = socket
    this.#expectFrame()
    // A socket that was given up may still speak: only the present one is heard.
    socket.onmessage = (event) => socket === this.#socket && this.#receive(JSON.parse(event.data))
    socket.onclose = (event) => socket === this.#socket && this.#closed(event.code)
  }

  #drop() {
    clearTimeout(this.#retryTimer)
    clearTimeout(this.#silenceTimer)
    const socket = this.#socket
    this.#socket = null
    socket?.close()
  }

  #receive(frame) {
    this.#heardAt = Date.now()
    if (frame.type === 'hello') this.#welcome(frame)
    if (frame.type === 'events') this.#deliver(frame)
    if (frame.type === 'typing' || frame.type === 'figures') this.#emit(frame.type, frame)
    if (frame.type === 'heartbeat') this.#socket.send('{"type":"heartbeat"}')
    if (frame.type === 'resync') return this.#resync(frame.reason)
    // The cursor of `hello` may be ahead of what is still to be replayed, so it isn't taken.
    if (frame.cursor && frame.type !== 'hello') this.#advance(frame.cursor)
    this.#expectFrame()
  }

  #welcome(frame) {
    this.#failures = 0
    this.#heartbeatSeconds = frame.heartbeat_seconds || this.#heartbeatSeconds
    this.#setState('connected')
  }

  #deliver(frame) {
    // One event may make several items: all are held against the cursor before this frame.
    const before = this.#position.cursor
    for (const item of frame.items) {
      if (isAfter(item.id, before)) this.#emit(item.kind, item.data)
    }
  }

  #advance(cursor) {
    this.#position = { ...this.#position, cursor: later(this.#position.cursor, cursor) }
  }

  #resync(reason) {
    this.#pause()
    this.#emit('resync', reason)
  }

  #closed(code) {
    this.#drop()
    if (code === SESSION_ENDED) return this.#setState('ended')
    this.#setState(navigator.onLine ? 'reconnecting' : 'offline')
    const usual = Math.min(30, 0.5 * 2 ** this.#failures)
    const limit = code === RESTARTING ? 5 : code === FULL ? 30 : usual
    this.#failures += 1
    this.#retryTimer = setTimeout(() => this.#open(), Math.random() * limit * 1000)
  }

  /** Give the connection up when nothing is heard for two heartbeats. */
  #expectFrame() {
    clearTimeout(this.#silenceTimer)
    const seconds = 2 * this.#heartbeatSeconds + GRACE_SECONDS
    this.#silenceTimer = setTimeout(() => this.#closed(0), seconds * 1000)
  }

  #setState(state) {
    if (state === this.#state) return
    this.#state = state
    this.#emit('state', state)
  }

  #emit(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }))
  }
}
