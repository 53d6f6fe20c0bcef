/** The display's link: the same feed as the page's (it comes back by itself, silence is a loss), with boards in it. */
import { clock } from '../lib/clock.svelte'
import { Feed, type Link } from '../lib/feed'
import type { Snapshot } from '../lib/wire'
import type { Board, Picture } from './board'

class Shown {
  board = $state.raw<Board | null>(null)
  link = $state.raw<Link>({ state: 'connecting', since: performance.now(), retryAt: null })
  /** The hall has no display (any more). */
  off = $state(false)
}

export const shown = new Shown()

/** The hall stands in the address: `…/display/main`. */
function hall(): string {
  return location.pathname.split('/').filter(Boolean).at(-1) ?? ''
}

function address(more: string): string {
  return new URL(`api/v1/display/${hall()}${more}`, document.baseURI).href
}

async function isOff(): Promise<boolean> {
  try {
    shown.off = (await fetch(address(''), { signal: AbortSignal.timeout(10_000) })).status === 404
  } catch {
    // No answer is a lost link, and not a hall without a display.
  }
  // A display that is switched on again comes back without anybody at the wall.
  return false
}

export function start(): void {
  const feed = new Feed(
    {
      snapshot: (message: Snapshot) => {
        const picture = message as unknown as Picture
        shown.board = picture.board
        shown.off = false
        clock.heard(picture.now, picture.board.rate)
      },
      delta: (message) => clock.heard(message.now, shown.board?.rate ?? 1),
      link: (link) => (shown.link = link),
      rebuilt: () => location.reload(),
      refused: isOff,
    },
    { open: () => new WebSocket(address('/live').replace(/^http/, 'ws')), now: () => performance.now(), random: Math.random },
  )
  document.addEventListener('visibilitychange', () => document.visibilityState === 'visible' && feed.wake())
  window.addEventListener('online', () => feed.wake())
  window.addEventListener('offline', () => feed.offline())
  clock.start()
  feed.connect()
}
