import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Feed, retryDelay, type Link } from './feed'
import type { Delta, Snapshot } from './wire'

class Socket {
  static all: Socket[] = []
  onmessage: ((event: { data: string }) => void) | null = null
  onclose: (() => void) | null = null
  closed = false
  constructor() {
    Socket.all.push(this)
  }
  close(): void {
    this.closed = true
  }
  say(message: object): void {
    this.onmessage?.({ data: JSON.stringify(message) })
  }
  snapshot(seq: number, build = 'b'): void {
    this.say({ t: 'snapshot', seq, now: 0, build, user: null, csrf: null, entities: {} })
  }
  delta(seq: number): void {
    this.say({ t: 'delta', seq, now: 0, set: {}, gone: [] })
  }
}

function setUp(refused = false) {
  const links: Link[] = []
  const told: (Snapshot | Delta)[] = []
  const rebuilt = vi.fn()
  const feed = new Feed(
    {
      snapshot: (message) => void told.push(message),
      delta: (message) => void told.push(message),
      link: (link) => void links.push(link),
      rebuilt,
      refused: async () => refused,
    },
    { open: () => new Socket() as unknown as WebSocket, now: () => Date.now(), random: () => 0 },
  )
  const state = () => links.at(-1)?.state
  return { feed, told, rebuilt, state, links }
}

const socket = () => Socket.all.at(-1) as Socket

describe('the feed', () => {
  beforeEach(() => {
    vi.useFakeTimers()
    Socket.all = []
  })
  afterEach(() => vi.useRealTimers())

  it('is live with a snapshot and takes consecutive deltas', () => {
    const { feed, told, state } = setUp()
    feed.connect()
    socket().snapshot(7)
    socket().delta(8)
    socket().delta(9)
    expect(told.map((message) => message.seq)).toEqual([7, 8, 9])
    expect(state()).toBe('live')
  })

  it('starts again at a hole in the numbers, and drops the delta after it', () => {
    const { feed, told } = setUp()
    feed.connect()
    socket().snapshot(7)
    const first = socket()
    first.delta(9)
    expect(told.map((message) => message.seq)).toEqual([7])
    expect(first.closed).toBe(true)
    expect(Socket.all).toHaveLength(2)
  })

  it('says lost at once and comes back by itself, waiting longer each time', async () => {
    const { feed, state } = setUp()
    feed.connect()
    socket().snapshot(1)
    socket().onclose?.()
    expect(state()).toBe('lost')
    await vi.advanceTimersByTimeAsync(499)
    expect(Socket.all).toHaveLength(1)
    await vi.advanceTimersByTimeAsync(1)
    expect(Socket.all).toHaveLength(2)
    expect(state()).toBe('lost')
    socket().snapshot(1)
    expect(state()).toBe('live')
  })

  it('is stale after five silent seconds and gives the socket up after ten', async () => {
    const { feed, state } = setUp()
    feed.connect()
    socket().snapshot(1)
    await vi.advanceTimersByTimeAsync(4_400)
    expect(state()).toBe('live')
    await vi.advanceTimersByTimeAsync(1_100)
    expect(state()).toBe('stale')
    await vi.advanceTimersByTimeAsync(5_000)
    expect(state()).toBe('lost')
    expect(Socket.all[0]?.closed).toBe(true)
  })

  it('is live again when a stale socket speaks', async () => {
    const { feed, state } = setUp()
    feed.connect()
    socket().snapshot(1)
    await vi.advanceTimersByTimeAsync(6_000)
    socket().delta(2)
    expect(state()).toBe('live')
  })

  it('asks for another page when the server was built anew, but not at the first snapshot', () => {
    const { feed, rebuilt, told } = setUp()
    feed.connect()
    socket().snapshot(1, 'one')
    expect(rebuilt).not.toHaveBeenCalled()
    feed.connect()
    socket().snapshot(1, 'two')
    expect(rebuilt).toHaveBeenCalledOnce()
    expect(told).toHaveLength(1)
  })

  it('stops trying when a login is needed', async () => {
    const { feed, state } = setUp(true)
    feed.connect()
    socket().onclose?.()
    await vi.advanceTimersByTimeAsync(60_000)
    expect(state()).toBe('refused')
    expect(Socket.all).toHaveLength(1)
  })

  it('does not sit out the waiting time when the machine wakes up', () => {
    const { feed } = setUp()
    feed.connect()
    socket().snapshot(1)
    feed.offline()
    expect(Socket.all).toHaveLength(1)
    feed.wake()
    expect(Socket.all).toHaveLength(2)
  })

  it('hears nothing more from a socket that it gave up', () => {
    const { feed, told } = setUp()
    feed.connect()
    const first = socket()
    feed.connect()
    first.snapshot(1)
    expect(told).toHaveLength(0)
  })
})

describe('the waiting time', () => {
  it('lies between half a second and thirty seconds', () => {
    for (let attempt = 0; attempt < 40; attempt++) {
      for (const random of [0, 0.5, 1]) {
        const delay = retryDelay(attempt, random)
        expect(delay).toBeGreaterThanOrEqual(500)
        expect(delay).toBeLessThanOrEqual(30_000)
      }
    }
  })

  it('doubles, and is spread', () => {
    expect(retryDelay(3, 1)).toBe(4_000)
    expect(retryDelay(3, 0)).toBe(2_000)
    expect(retryDelay(20, 1)).toBe(30_000)
  })
})
