import { describe, expect, it } from 'vitest'
import { holes, joined } from './gaps'
import { DAY, fromLocal, HOUR, MINUTE, rangeFrom, rangeOf, stepOf, toLocal, weekBefore } from './ranges'

const NOON = Date.UTC(2026, 10, 24, 4, 0) // 12:00 in Shanghai

describe('a line', () => {
  it('goes on over a short pause and is broken by a long one', () => {
    const values = [1, null, 3, null, null, null, 7, null]
    expect(joined(values, 10, 20)).toEqual([1, undefined, 3, null, null, null, 7, null])
    expect(joined(values, 10, 40)).toEqual([1, undefined, 3, undefined, undefined, undefined, 7, null])
    expect(joined([null, null], 10, 1000)).toEqual([null, null])
  })

  it('has its holes named, those at its ends too, but not what is still to come', () => {
    const values = [null, 1, null, 3, null, null, null, 7, null, null]
    expect(holes(values, 10, 20)).toEqual([[0, 1], [4, 7], [8, 10]])
    expect(holes(values, 10, 20, 8)).toEqual([[0, 1], [4, 7]])
    expect(holes([null, null], 10, 20)).toEqual([[0, 2]])
    expect(holes([1, 2], 10, 20)).toEqual([])
  })
})

describe('a range', () => {
  it('is a few hundred steps however long it is', () => {
    for (const length of [MINUTE, HOUR, DAY, 30 * DAY, 365 * DAY]) expect(length / stepOf(length)).toBeLessThanOrEqual(400)
    expect(30 * DAY / stepOf(30 * DAY)).toBeGreaterThan(200)
  })

  it('of today is the whole day of the hall, wherever the browser stands', () => {
    expect(rangeOf('today', NOON, 'Asia/Shanghai')).toEqual({ start: NOON - 12 * HOUR, end: NOON + 12 * HOUR })
    expect(rangeOf('today', NOON, 'UTC')).toEqual({ start: NOON - 4 * HOUR, end: NOON + 20 * HOUR })
    // The clocks go back on that day: it has 25 hours.
    const long = rangeOf('today', Date.UTC(2026, 9, 25, 12), 'Europe/Berlin')
    expect(long.end - long.start).toBe(25 * HOUR)
  })

  it('keeps its steps in place while time goes on', () => {
    const first = rangeOf('4h', NOON + 1, 'UTC')
    expect(rangeOf('4h', NOON + 2, 'UTC')).toEqual(first)
    expect(first.end - first.start).toBe(4 * HOUR)
    expect(first.end).toBeGreaterThanOrEqual(NOON + 1)
  })

  it('comes from the address, and where that makes no sense from what is usual', () => {
    const of = (text: string) => rangeFrom(new URLSearchParams(text), NOON, 'UTC')
    expect(of('from=5&to=9')).toEqual({ start: 5, end: 9, preset: null })
    expect(of('range=7d').preset).toBe('7d')
    for (const text of ['', 'range=never', 'from=9&to=5', 'from=x&to=9', 'from=5']) expect(of(text).preset).toBe('4h')
  })

  it('is written and read in the hall’s time', () => {
    expect(toLocal(NOON, 'Asia/Shanghai')).toBe('2026-11-24T12:00')
    expect(fromLocal('2026-11-24T12:00', 'Asia/Shanghai')).toBe(NOON)
    expect(fromLocal('soon', 'UTC')).toBeNull()
  })

  it('a week before is the same time of day, also over a change of the clocks', () => {
    expect(weekBefore(NOON, 'Asia/Shanghai')).toBe(NOON - 7 * DAY)
    expect(weekBefore(Date.UTC(2026, 9, 26, 8), 'Europe/Berlin')).toBe(Date.UTC(2026, 9, 19, 7))
  })
})
