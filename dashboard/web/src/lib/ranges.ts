/** Ranges of time as people choose them, in the hall's zone. Instants are ms since the epoch. */
import type { Stretch } from './history'

export const MINUTE = 60_000
export const HOUR = 3_600_000
export const DAY = 86_400_000

export const PRESETS = ['1h', '4h', 'today', '24h', '7d', '30d'] as const
export type Preset = (typeof PRESETS)[number]

const LENGTHS: Record<Exclude<Preset, 'today'>, number> = { '1h': HOUR, '4h': 4 * HOUR, '24h': DAY, '7d': 7 * DAY, '30d': 30 * DAY }
const STEPS = [10_000, 30_000, MINUTE, 2 * MINUTE, 5 * MINUTE, 10 * MINUTE, 30 * MINUTE, HOUR, 2 * HOUR, 6 * HOUR, 12 * HOUR, DAY]
const POINTS = 400

/** How wide a step is drawn: a few hundred of them over a range. */
export function stepOf(length: number): number {
  return STEPS.find((step) => length / step <= POINTS) ?? DAY
}

/** How far a zone's clock is ahead of UTC at an instant. */
function ahead(at: number, zone: string): number {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: zone, hourCycle: 'h23', year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit', second: '2-digit',
  })
  const part: Record<string, number> = {}
  for (const { type, value } of format.formatToParts(at)) part[type] = Number(value)
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = part
  return Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(at / 1000) * 1000
}

/** The instant at which a zone's clock shows this (ms as if it were UTC). */
function shows(local: number, zone: string): number {
  // The first guess may be on the other side of a change of the clock; the second is not.
  return local - ahead(local - ahead(local, zone), zone)
}

/** "2026-11-24T09:30" in the hall's zone, as an input of date and time has it. */
export function toLocal(at: number, zone: string): string {
  return new Date(at + ahead(at, zone)).toISOString().slice(0, 16)
}

/** The instant of such a text, or null where it is none. */
export function fromLocal(text: string, zone: string): number | null {
  const local = /^\d{4}-\d\d-\d\dT\d\d:\d\d$/.test(text) ? Date.parse(`${text}:00Z`) : NaN
  return Number.isNaN(local) ? null : shows(local, zone)
}

/** The same time of day a week before, also when the clocks were changed in between. */
export function weekBefore(at: number, zone: string): number {
  return shows(at + ahead(at, zone) - 7 * DAY, zone)
}

/** The range of a preset. It begins at a whole step, so that a stretch keeps its place while time goes on. */
export function rangeOf(preset: Preset, now: number, zone: string): Stretch {
  if (preset === 'today') {
    const midnight = Math.floor((now + ahead(now, zone)) / DAY) * DAY
    return { start: shows(midnight, zone), end: shows(midnight + DAY, zone) }
  }
  const step = stepOf(LENGTHS[preset])
  const end = Math.ceil(now / step) * step
  return { start: end - LENGTHS[preset], end }
}

/** The range that an address names: `from` and `to`, else a preset. */
export function rangeFrom(query: URLSearchParams, now: number, zone: string): Stretch & { preset: Preset | null } {
  const [from, to] = [Number(query.get('from')), Number(query.get('to'))]
  if (Number.isSafeInteger(from) && Number.isSafeInteger(to) && from > 0 && to > from) return { start: from, end: to, preset: null }
  const wish = query.get('range')
  const preset = PRESETS.find((one) => one === wish) ?? '4h'
  return { ...rangeOf(preset, now, zone), preset }
}
