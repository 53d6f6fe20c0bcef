import { describe, expect, it } from 'vitest'
import { apart, boxOf } from './geometry'
import { clashes, layOut, type PlanIn } from './layout'
import type { Point } from './hall'
import { trendOf, type Sample } from './trends.svelte'

const site = Object.values(
  import.meta.glob<string>('../../../sites/university.yaml', { query: '?raw', import: 'default', eager: true }),
)[0] as string

const point = (text: string): Point => text.split(',').map(Number) as unknown as Point
const field = (line: string, name: string) => line.match(new RegExp(`\\b${name}: ([\\w-]+)`))?.[1] ?? null

/** The example site, read as far as a plan needs it. */
function example(px: number, sick: readonly string[] = []): PlanIn {
  const lines = site.slice(site.indexOf('\n    zones:')).split('\n')
  const zones: PlanIn['zones'][number][] = []
  const windows: PlanIn['windows'][number][] = []
  const devices: PlanIn['devices'][number][] = []
  let id = ''
  let zone = ''
  for (const line of lines) {
    id = line.match(/^ +- \{?id: ([\w-]+)/)?.[1] ?? id
    zone = field(line, 'zone') ?? zone
    const at = line.match(/at: \[([^\]]+)\]/)?.[1]
    const outline = line.match(/outline: \[(\[.*\])\]/)?.[1]
    if (outline) zones.push({ id, outline: outline.slice(1, -1).split('], [').map(point), words: 8, lines: 3 })
    else if (at && line.includes('kinds:')) devices.push({ id, xy: point(at), window: field(line, 'window'), zone, calm: !sick.includes(id), chip: line.includes('service:') ? 2 : 0 })
    else if (at) windows.push({ id, xy: point(at), zone })
  }
  return { size: [40, 24], px, word: 2, named: true, zones, windows, devices }
}

describe('a hall with hundreds of devices', () => {
  const many = (count: number, sick = -1): PlanIn => ({
    size: [40, 24], px: 820, named: false, word: 4, windows: [],
    zones: [{ id: 'hall', outline: [[0, 0], [40, 0], [40, 24], [0, 24]], words: 8, lines: 3 }],
    devices: Array.from({ length: count }, (_, n) => ({ id: `d${n}`, xy: [0.8 + (n % 40) * 0.97, 1 + Math.floor(n / 40) * 1.75] as const, window: null, zone: 'hall', calm: n !== sick, chip: 0 })),
  })

  it('has dots for the calm ones, and the one that is not well stands out', () => {
    const spots = layOut(many(500, 7)).spots
    expect(spots.filter((spot) => spot.dot)).toHaveLength(499)
    expect(spots.find((spot) => !spot.dot)).toMatchObject({ id: 'd7', crowded: true })
  })

  it('has their glyphs where there is room', () => {
    expect(layOut(many(60)).spots.filter((spot) => spot.dot || spot.crowded)).toEqual([])
  })
})

describe('the plan of the example site', () => {
  it('is read whole', () => {
    const plan = example(900)
    expect([plan.zones.length, plan.windows.length, plan.devices.length]).toEqual([6, 8, 61])
  })

  it.each([
    [1500, 'full'], [1150, 'full'], [870, 'full'], [720, 'full'], [560, 'short'], [366, 'mark'], [340, 'mark'],
  ])('has nothing over anything at %i px, and its counters say what they can (%s)', (px, grade) => {
    for (const sick of [[], ['w3-printer', 'smoke-corridor', 'queue-card', 'count-corridor']]) {
      for (const word of [2, 5.2]) {
        const layout = layOut({ ...example(px, sick), word })
        expect(clashes(layout)).toEqual([])
        expect(layout.grade).toBe(grade)
        const drawing = boxOf([[0, 0], [px, layout.height]])
        for (const { box } of [...layout.spots, ...layout.counters]) expect(apart(box, drawing)).toBeLessThan(0)
      }
    }
  })

  it('keeps counters in their room, with the front at its edge', () => {
    const layout = layOut(example(900))
    const edge = layout.at([0, 5.5])[1]
    for (const counter of layout.counters) {
      expect(counter.front).toBe('bottom')
      expect(counter.box.bottom).toBeCloseTo(edge)
    }
    expect(layout.spots.filter((one) => one.docked).length).toBe(21)
  })

  it('says where a thing really is when it had to move', () => {
    for (const spot of layOut(example(366)).spots) {
      const device = example(366).devices.find((one) => one.id === spot.id)
      const [x, y] = layOut(example(366)).at(device?.xy as Point)
      const far = Math.hypot(spot.at[0] - x, spot.at[1] - y)
      if (far > 14 && !device?.chip) expect(spot.from, spot.id).toEqual([x, y])
    }
  })
})

describe('counters on other walls', () => {
  it('stand inside their room on each side', () => {
    const outline: Point[] = [[5, 5], [25, 5], [25, 20], [5, 20]]
    const at: [Point, string][] = [[[15, 5], 'top'], [[5, 12], 'left'], [[25, 12], 'right'], [[15, 20], 'bottom']]
    for (const [xy, side] of at) {
      const layout = layOut({ size: [30, 25], px: 900, word: 2, named: false, zones: [{ id: 'z', outline, words: 6, lines: 3 }], windows: [{ id: 'w', xy, zone: 'z' }], devices: [] })
      const [counter] = layout.counters
      const [left, top] = layout.at([5, 5])
      const [right, bottom] = layout.at([25, 20])
      expect(counter?.front).toBe(side)
      expect(counter && counter.box.left >= left - 0.01 && counter.box.right <= right + 0.01 && counter.box.top >= top - 0.01 && counter.box.bottom <= bottom + 0.01).toBe(true)
    }
  })
})

describe('a queue', () => {
  const now = 60 * 60_000
  const samples = (before: number | null, recent: number | null): Sample[] => [[now - 14 * 60_000, before], [now - 60_000, recent]]

  it('rises, falls or is steady, and is neither where nothing was heard', () => {
    expect(trendOf(samples(5, 9), now)).toBe('up')
    expect(trendOf(samples(9, 5), now)).toBe('down')
    expect(trendOf(samples(5, 6), now)).toBe('flat')
    expect(trendOf(samples(20, 23), now)).toBe('flat')
    expect(trendOf(samples(null, 9), now)).toBe('none')
    expect(trendOf(samples(9, null), now)).toBe('none')
    expect(trendOf([], now)).toBe('none')
  })
})
