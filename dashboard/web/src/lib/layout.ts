/**
 * Where everything of the floor plan stands, in pixels: counters at the edge of their room, words where nothing is,
 * devices at their place or, where that is taken, at the nearest free one. The same input gives the same plan.
 */
import { apart, around, boxOf, freePlace, inside, labelPlace, type Box } from './geometry'
import type { Point } from './hall'

export type Side = 'top' | 'bottom' | 'left' | 'right'
/** How much a counter has room to say: everything; number, glyph and name; number and glyph. */
export type Grade = 'full' | 'short' | 'mark'

/** `words`: how wide its label is, in font sizes; `lines`: how many it has, 2 or 3. */
interface ZoneIn { id: string; outline: readonly Point[]; words: number; lines: number }
interface WindowIn { id: string; xy: Point; zone: string }
/** `chip`: how many lines the name of the queue has that it counts, 0 where it counts none. */
interface DeviceIn { id: string; xy: Point; window: string | null; zone: string | null; calm: boolean; chip: number }

export interface PlanIn {
  /** The hall's size (m), and the width to draw it in (px). */
  size: Point
  px: number
  /** How wide the longest word of a window's state is, in font sizes. */
  word: number
  /** Whether anybody's name stands at a window. */
  named: boolean
  zones: readonly ZoneIn[]
  windows: readonly WindowIn[]
  devices: readonly DeviceIn[]
}

export interface Counter { id: string; box: Box; front: Side }
export interface Spot { id: string; box: Box; at: Point; from: Point | null; dot: boolean; docked: boolean; crowded: boolean }
export interface Layout {
  /** The font size, the scale (px a metre), and the drawing's height. */
  u: number
  scale: number
  height: number
  grade: Grade
  /** The state's word has a line of its own. */
  tall: boolean
  at: (point: Point) => Point
  counters: Counter[]
  spots: Spot[]
  labels: Map<string, Box>
}

export const MARGIN = 8
/** How wide a line of a queue's name may be, in its own font sizes. */
export const QUEUE_NAME = 7

export function layOut(plan: PlanIn): Layout {
  const { size, px } = plan
  const u = Math.min(22, Math.max(11, px / 72))
  const small = px < 560
  const scale = (px - 2 * MARGIN) / size[0]
  const height = Math.round(size[1] * scale + 2 * MARGIN)
  const at = ([x, y]: Point): Point => [MARGIN + x * scale, MARGIN + y * scale]
  const zones = plan.zones.map((zone) => ({ ...zone, outline: zone.outline.map(at) }))
  const windows = plan.windows.map((one) => ({ ...one, xy: at(one.xy) }))
  const width = Math.min(9 * u, room(windows.map((one) => one.xy)) - 0.4 * u)
  const grade: Grade = width >= 4.6 * u ? 'full' : width >= 3.4 * u ? 'short' : 'mark'
  const tall = grade === 'full' && 2.6 * u + plan.word * 0.85 * u > width
  const docks = grade === 'full' && plan.devices.some((one) => one.window)
  const deep = grade === 'mark' ? 2.5 * u : grade === 'short' ? 3.1 * u : (3.2 + (tall ? 1.2 : 0) + (plan.named ? 1.25 : 0) + (docks ? 2 : 0)) * u
  const hall: Box = { left: MARGIN, top: MARGIN, right: px - MARGIN, bottom: height - MARGIN }
  const counters = windows.map((one) => counter(one, zones.find((zone) => zone.id === one.zone)?.outline ?? [], Math.max(width, 1.6 * u), deep, hall))
  const taken = counters.map((one) => one.box)

  const devices = plan.devices.map((one) => ({ ...one, xy: at(one.xy) }))
  const free = devices.filter((one) => !(one.window && counters.some((place) => place.id === one.window)))
  // Where hundreds stand the calm ones are dots, and what is only unknown has no word of its own.
  const crowded = free.length * 16 * u * u > px * height
  const dots = small || crowded
  const extent = (one: DeviceIn): Point => (one.chip ? (small ? [2.3 * u, 1.7 * u] : [5.4 * u, (1.75 + 0.9 * one.chip) * u]) : dots && one.calm ? [0.8 * u, 0.8 * u] : [1.7 * u, 1.7 * u])
  const soft = free.map((one) => around(one.xy, ...(extent(one) as [number, number])))
  const labels = new Map<string, Box>()
  for (const zone of zones) {
    if (zone.outline.length < 3) continue
    const label = labelPlace(zone.outline, [...taken, ...soft], zone.words * u, (zone.lines > 2 ? 3.7 : 2.4) * u, 0.6 * u)
    labels.set(zone.id, label)
    taken.push(label)
  }

  const spots: Spot[] = []
  // What needs a look and what counts a queue takes its place first.
  for (const one of [...free].sort((a, b) => rank(a) - rank(b))) {
    const [w, h] = extent(one)
    const bounds = (box: Box) => box.left >= 1 && box.top >= 1 && box.right <= px - 1 && box.bottom <= height - 1
    const own = zones.find((zone) => zone.id === one.zone)?.outline ?? []
    const home = (box: Box) => bounds(box) && inside([(box.left + box.right) / 2, (box.top + box.bottom) / 2], own)
    const near = freePlace(one.xy, w, h, taken, bounds)
    // Rather a little further than in another room, unless that is where it was drawn (a door in the wall).
    const box = (inside(one.xy, own) ? freePlace(one.xy, w, h, taken, home) : null) ?? near ?? around(one.xy, w, h)
    taken.push(box)
    const spot: Point = [(box.left + box.right) / 2, (box.top + box.bottom) / 2]
    const moved = Math.hypot(spot[0] - one.xy[0], spot[1] - one.xy[1]) > 1.1 * u
    spots.push({ id: one.id, box, at: spot, from: moved && !one.chip ? one.xy : null, dot: dots && one.calm && !one.chip, docked: false, crowded })
  }
  for (const place of grade === 'full' ? counters : []) spots.push(...dock(place, devices, u))
  return { u, scale, height, grade, tall, at, counters, spots, labels }
}

const rank = (one: DeviceIn) => (one.calm ? 2 : 0) - (one.chip ? 1 : 0)

/** How much room a counter has beside the next one. */
function room(places: readonly Point[]): number {
  let least = Infinity
  places.forEach(([x, y], index) => {
    for (const [ox, oy] of places.slice(index + 1)) least = Math.min(least, Math.max(Math.abs(x - ox), Math.abs(y - oy)))
  })
  return least
}

/** A counter stands in its room with its front on the wall that is near, else where it is. */
function counter(one: WindowIn, outline: readonly Point[], width: number, deep: number, hall: Box): Counter {
  const [x, y] = one.xy
  const zone = outline.length > 2 ? boxOf(outline) : hall
  const gaps: [number, Side][] = [[Math.abs(zone.bottom - y), 'bottom'], [Math.abs(y - zone.top), 'top'], [Math.abs(zone.right - x), 'right'], [Math.abs(x - zone.left), 'left']]
  const [gap, front] = gaps.reduce((a, b) => (b[0] < a[0] ? b : a))
  let box = around(one.xy, width, deep)
  if (gap < deep) {
    if (front === 'bottom') box = { ...box, top: zone.bottom - deep, bottom: zone.bottom }
    else if (front === 'top') box = { ...box, top: zone.top, bottom: zone.top + deep }
    else if (front === 'right') box = { ...box, left: zone.right - width, right: zone.right }
    else box = { ...box, left: zone.left, right: zone.left + width }
  }
  const right = Math.max(0, hall.left - box.left) - Math.max(0, box.right - hall.right)
  const down = Math.max(0, hall.top - box.top) - Math.max(0, box.bottom - hall.bottom)
  return { id: one.id, front: gap < deep ? front : 'bottom', box: { left: box.left + right, right: box.right + right, top: box.top + down, bottom: box.bottom + down } }
}

/** What belongs to a window stands in a row at the bottom of its counter. */
function dock(place: Counter, devices: readonly DeviceIn[], u: number): Spot[] {
  const here = devices.filter((one) => one.window === place.id)
  const { left, right, bottom } = place.box
  const slot = Math.min(1.75 * u, (right - left - 0.3 * u) / here.length)
  const size = Math.min(1.5 * u, slot - 1)
  const middle = (left + right) / 2
  return here.map((one, index) => {
    const at: Point = [middle + (index - (here.length - 1) / 2) * slot, bottom - 1.15 * u]
    return { id: one.id, box: around(at, size, size), at, from: null, dot: false, docked: true, crowded: false }
  })
}

/** The pairs of things that overlap: none on a plan with room. For tests, and whoever wonders. */
export function clashes(layout: Layout): [string, string][] {
  const boxes: [string, Box][] = [
    ...layout.counters.map((one): [string, Box] => [one.id, one.box]),
    ...[...layout.labels],
    ...layout.spots.filter((one) => !one.docked).map((one): [string, Box] => [one.id, one.box]),
  ]
  return boxes.flatMap(([a, box], index) =>
    boxes.slice(index + 1).flatMap(([b, other]): [string, string][] => (apart(box, other) < -0.5 ? [[a, b]] : [])),
  )
}
