import { describe, expect, it } from 'vitest'
import { rangeOf } from './day'

describe('a day of the calendar', () => {
  it.each([
    ['2026-11-24', 'Asia/Shanghai', '2026-11-23T16:00:00Z', 24],
    ['2026-11-24', 'UTC', '2026-11-24T00:00:00Z', 24],
    // The clock goes forward on the one, back on the other.
    ['2026-03-29', 'Europe/Berlin', '2026-03-28T23:00:00Z', 23],
    ['2026-10-25', 'Europe/Berlin', '2026-10-24T22:00:00Z', 25],
    ['2026-03-08', 'America/New_York', '2026-03-08T05:00:00Z', 23],
  ])('%s in %s', (day, zone, since, hours) => {
    const range = rangeOf(day, zone)
    expect(new Date(range.since).toISOString()).toBe(new Date(since).toISOString())
    expect((range.until - range.since) / 3_600_000).toBe(hours)
  })
})
