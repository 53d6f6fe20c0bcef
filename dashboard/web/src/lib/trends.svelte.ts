/** The last hour of each queue: fetched once from the history, then grown from the live link. */
import { history } from './api'
import { clock } from './clock.svelte'
import type { Service } from './entities'
import { store, tables } from './store.svelte'

export type Sample = readonly [at: number, value: number | null]

export const TREND_MS = 3_600_000
const EVERY_MS = 120_000

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
