/** Joins the parts: the feed's messages into the store and the clock, and the browser's events into the feed. */
import { address, loginNeeded } from './api'
import { clock } from './clock.svelte'
import { Feed, type Link } from './feed'
import { route } from './route.svelte'
import { session } from './session.svelte'
import { store } from './store.svelte'

class Live {
  link = $state.raw<Link>({ state: 'connecting', since: performance.now(), retryAt: null })
}

export const live = new Live()

export function start(): void {
  const feed = new Feed(
    {
      snapshot: (message) => {
        store.snapshot(message)
        clock.heard(message.now, store.hall?.clock_rate ?? 1)
      },
      delta: (message) => {
        store.delta(message)
        clock.heard(message.now, store.hall?.clock_rate ?? 1)
      },
      link: (link) => {
        live.link = link
        // Who is about to choose a password has none to log in with.
        if (link.state === 'refused' && !route.alone) session.dialog = { name: 'login' }
      },
      rebuilt: () => location.reload(),
      refused: loginNeeded,
    },
    {
      open: () => new WebSocket(address('live').replace(/^http/, 'ws')),
      now: () => performance.now(),
      random: Math.random,
    },
  )
  session.reconnect = () => feed.connect()
  document.addEventListener('visibilitychange', () => document.visibilityState === 'visible' && feed.wake())
  window.addEventListener('online', () => feed.wake())
  window.addEventListener('offline', () => feed.offline())
  clock.start()
  feed.connect()
}
