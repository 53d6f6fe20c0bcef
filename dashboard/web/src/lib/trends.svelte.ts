/** The last hour of each queue: fetched once from the history, then grown from the live link. */
import { history } from './api'
import { clock } from './clock.svelte'
import type { Service } from './entities'
import { store, tables } from './store.svelte'

export type Sample = readonly [at: number, value: number | null]

export const TREND_MS = 3_600_000
const EVERY_MS = 120_000

export type Trend = 'up' | 'down' | 'flat' | 'none'

const RECENT_MS = 3 * 60_000
const BEFORE_MS = 15 * 60_000

/**
 * Where a queue is going: the mean of the last three minutes against that of ten to fifteen minutes ago. Two people or
 * a fifth make a difference; with nothing heard in either, nobody knows.
 */
export function trendOf(samples: readonly Sample[], now: number): Trend {
  const mean = (from: number, to: number): number | null => {
    const values = samples.flatMap(([at, value]) => (value !== null && at > now - from && at <= now - to ? [value] : []))
    return values.length ? values.reduce((a, b) => a + b, 0) / values.length : null
  }
  const [recent, before] = [mean(RECENT_MS, 0), mean(BEFORE_MS, 10 * 60_000)]
  if (recent === null || before === null) return 'none'
  const limit = Math.max(2, before * 0.2)
  return recent - before >= limit ? 'up' : before - recent >= limit ? 'down' : 'flat'
}

class Trends {
  samples = $state.raw<Record<string, readonly Sample[]>>({})
  #epoch = 0

  /** Take the queues' present lengths; after each new snapshot, fill what was missed. */
  follow(services: readonly Service[]): void {
    let changed = false
    const next = { ...this.samples }
    for (const service of services) {
      const known = next[service.id] ?? []
      const last = known.at(-1)
      const value = service.stale ? null : service.length
      if (service.at === null || (last && last[0] >= service.at)) continue
      next[service.id] = [...known.filter(([at]) => at > (service.at ?? 0) - TREND_MS), [service.at, value]]
      changed = true
    }
    if (changed) this.samples = next
    if (this.#epoch !== store.epoch && clock.now) {
      this.#epoch = store.epoch
      void Promise.all(services.map((service) => this.#fill(service)))
    }
  }

  async #fill(service: Service): Promise<void> {
    const device = tables.device.list.find((one) => one.service === service.id && one.kinds.includes('queue'))
    if (!device) return
    const span = { start: clock.now - TREND_MS, end: clock.now, every: EVERY_MS }
    try {
      const { times, values } = await history({ device: device.id, kind: 'queue', field: 'length', ...span })
      const old: Sample[] = times.map((at, index) => [at, values[index] ?? null])
      const fresh = (this.samples[service.id] ?? []).filter(([at]) => at > (old.at(-1)?.[0] ?? 0))
      this.samples = { ...this.samples, [service.id]: [...old, ...fresh] }
    } catch {
      // Without history the line simply begins now.
    }
  }
}

export const trends = new Trends()
