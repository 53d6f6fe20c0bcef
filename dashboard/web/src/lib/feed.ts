/**
 * The live link: a WebSocket that comes back by itself and says at once when it is gone.
 *
 * A snapshot, then deltas with consecutive numbers; a hole in the numbers starts again. Silence is a loss
 * too: the server speaks every 2 s, so 5 s without a word is stale and 10 s closes the socket.
 */
import type { Delta, Snapshot } from './wire'

export type LinkState = 'connecting' | 'live' | 'stale' | 'lost' | 'refused'

export interface Link {
  state: LinkState
  /** When the state began, and when the next attempt is due (ms of the page's own clock). */
  since: number
  retryAt: number | null
}

export interface Hooks {
  snapshot: (message: Snapshot) => void
  delta: (message: Delta) => void
  link: (link: Link) => void
  /** The server runs another build than this page was made for. */
  rebuilt: () => void
  /** True when the server refuses the link for want of a login. */
  refused: () => Promise<boolean>
}

export interface Outside {
  open: () => WebSocket
  now: () => number
  random: () => number
}

export const STALE_MS = 5_000
export const DEAD_MS = 10_000
const FIRST_RETRY_MS = 500
const LAST_RETRY_MS = 30_000

/** Waiting time before attempt `n` (from 0): 0.5 s doubling to 30 s, its upper half drawn by chance. */
export function retryDelay(attempt: number, random: number): number {
  const ceiling = Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(attempt, 10))
  return Math.max(FIRST_RETRY_MS, ceiling / 2 + (ceiling / 2) * random)
}

export class Feed {
  #socket: WebSocket | null = null
  #attempt = 0
  #seq = 0
  #build: string | null = null
  #heard = 0
  #retry: ReturnType<typeof setTimeout> | null = null
  #watch: ReturnType<typeof setInterval> | null = null
  #state: LinkState = 'connecting'

  constructor(
    readonly hooks: Hooks,
    readonly outside: Outside,
  ) {}

  /** Connect now, whatever was under way; also after a login, since the snapshot tells who one is. */
  connect(): void {
    this.#drop()
    if (this.#state !== 'lost') this.#say('connecting')
    this.#heard = this.outside.now()
    const socket = this.outside.open()
    this.#socket = socket
    socket.onmessage = (event) => this.#receive(String(event.data))
    socket.onclose = () => void this.#lost()
    this.#watch = setInterval(() => this.#look(), 500)
  }

  /** The machine woke up or found its network: do not sit out the waiting time. */
  wake(): void {
    if (this.#state === 'live') this.#look()
    else if (this.#retry !== null) this.connect()
  }

  /** The browser says that the network is gone; loopback may still answer, so try at once. */
  offline(): void {
    if (this.#socket) void this.#lost()
  }

  stop(): void {
    this.#drop()
  }

  #receive(text: string): void {
    this.#heard = this.outside.now()
    const message = JSON.parse(text) as Snapshot | Delta
    if (message.t === 'snapshot') {
      if (this.#build !== null && this.#build !== message.build) return this.hooks.rebuilt()
      this.#build = message.build
      this.#attempt = 0
      this.hooks.snapshot(message)
    } else if (message.seq === this.#seq + 1) {
      this.hooks.delta(message)
    } else {
      return this.connect()
    }
    this.#seq = message.seq
    this.#say('live')
  }

  #look(): void {
    const silent = this.outside.now() - this.#heard
    if (silent >= DEAD_MS) void this.#lost()
    else if (silent >= STALE_MS && this.#state === 'live') this.#say('stale')
  }

  async #lost(): Promise<void> {
    const opened = this.#state === 'live' || this.#state === 'stale'
    this.#drop()
    const delay = retryDelay(this.#attempt++, this.outside.random())
    this.#retry = setTimeout(() => this.connect(), delay)
    this.#say('lost', this.outside.now() + delay)
    if (!opened && (await this.hooks.refused()) && this.#retry !== null) {
      this.#drop()
      this.#say('refused')
    }
  }

  #drop(): void {
    if (this.#retry !== null) clearTimeout(this.#retry)
    if (this.#watch !== null) clearInterval(this.#watch)
    this.#retry = this.#watch = null
    const socket = this.#socket
    this.#socket = null
    if (!socket) return
    socket.onmessage = socket.onclose = null
    socket.close()
  }

  #say(state: LinkState, retryAt: number | null = null): void {
    if (state === this.#state && retryAt === null) return
    this.#state = state
    this.hooks.link({ state, since: this.outside.now(), retryAt })
  }
}
