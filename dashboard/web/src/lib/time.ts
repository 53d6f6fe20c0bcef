/** Instants and spans in words. All instants are ms since the epoch; the zone is the hall's. */

const FORMATS = new Map<string, Intl.DateTimeFormat>()

function format(tag: string, zone: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = `${tag} ${zone} ${JSON.stringify(options)}`
  let found = FORMATS.get(key)
  if (!found) {
    found = new Intl.DateTimeFormat(tag, { timeZone: zone, hourCycle: 'h23', ...options })
    FORMATS.set(key, found)
  }
  return found
}

/** "09:41:07", or "09:41" without seconds. */
export function clockTime(at: number, tag: string, zone: string, seconds = false): string {
  const options: Intl.DateTimeFormatOptions = { hour: '2-digit', minute: '2-digit' }
  return format(tag, zone, seconds ? { ...options, second: '2-digit' } : options).format(at)
}

/** The day with its weekday. */
export function dayOf(at: number, tag: string, zone: string): string {
  return format(tag, zone, { month: 'long', day: 'numeric', weekday: 'short' }).format(at)
}

/** Time of day, with the date before it when that is not today, and its year when that is not this one. */
export function moment(at: number, now: number, tag: string, zone: string): string {
  const year = format(tag, zone, { year: 'numeric' })
  const here = year.format(at) === year.format(now) ? {} : ({ year: 'numeric' } as const)
  const day = format(tag, zone, { month: 'numeric', day: 'numeric', ...here })
  const time = clockTime(at, tag, zone)
  return day.format(at) === day.format(now) ? time : `${day.format(at)} ${time}`
}

/** Everything, for tool tips. */
export function fullTime(at: number, tag: string, zone: string): string {
  return format(tag, zone, { dateStyle: 'medium', timeStyle: 'medium' }).format(at)
}

export type Span = { unit: 'now' | 's' | 'min' | 'h' | 'd'; n: number }

/** A span as one rounded-down figure that a person reads at a glance. */
export function span(ms: number): Span {
  const s = Math.floor(Math.max(0, ms) / 1000)
  if (s < 2) return { unit: 'now', n: 0 }
  if (s < 90) return { unit: 's', n: s }
  if (s < 90 * 60) return { unit: 'min', n: Math.floor(s / 60) }
  if (s < 48 * 3600) return { unit: 'h', n: Math.floor(s / 3600) }
  return { unit: 'd', n: Math.floor(s / 86_400) }
}

/** A running time: "2:05", "1:02:05". Negative spans count as zero. */
export function stopwatch(ms: number): string {
  const s = Math.floor(Math.max(0, ms) / 1000)
  const two = (n: number) => String(n).padStart(2, '0')
  const minutes = Math.floor((s % 3600) / 60)
  return s < 3600 ? `${minutes}:${two(s % 60)}` : `${Math.floor(s / 3600)}:${two(minutes)}:${two(s % 60)}`
}
