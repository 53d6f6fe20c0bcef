/** Small geometry for the floor plan: the same for metres and for pixels; y downwards. */
import type { Point } from './hall'

export interface Box {
  left: number
  top: number
  right: number
  bottom: number
}

export function boxOf(points: readonly Point[]): Box {
  const xs = points.map(([x]) => x)
  const ys = points.map(([, y]) => y)
  return { left: Math.min(...xs), top: Math.min(...ys), right: Math.max(...xs), bottom: Math.max(...ys) }
}

export function around([x, y]: Point, width: number, height: number): Box {
  return { left: x - width / 2, top: y - height / 2, right: x + width / 2, bottom: y + height / 2 }
}

/** How far two boxes are apart; negative where they overlap. */
export function apart(a: Box, b: Box): number {
  return Math.max(a.left - b.right, b.left - a.right, a.top - b.bottom, b.top - a.bottom)
}

/** True when the point lies inside the polygon (even-odd rule). */
export function inside([x, y]: Point, polygon: readonly Point[]): boolean {
  let within = false
  polygon.forEach(([ax, ay], index) => {
    const [bx, by] = polygon[(index || polygon.length) - 1] as Point
    if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) within = !within
  })
  return within
}

/**
 * Where a label of the given size stands freest of what is drawn in its zone: tried on a grid, the corners first, so
 * that a zone without anything keeps its label at its top left.
 */
export function labelPlace(outline: readonly Point[], things: readonly Box[], width: number, height: number, gap: number): Box {
  const box = boxOf(outline)
  const at = (x: number, y: number): Box => ({ left: x, top: y, right: x + width, bottom: y + height })
  const [x0, x1] = range(box.left + gap, box.right - gap - width)
  const [y0, y1] = range(box.top + gap, box.bottom - gap - height)
  let best = at(x0, y0)
  let most = -Infinity
  for (const part of STEPS) {
    for (const side of STEPS) {
      const place = at(x0 + (x1 - x0) * side, y0 + (y1 - y0) * part)
      if (!inside([(place.left + place.right) / 2, (place.top + place.bottom) / 2], outline)) continue
      const free = Math.min(gap * 2, ...things.map((thing) => apart(thing, place)))
      if (free > most + 0.01) [best, most] = [place, free]
    }
  }
  return best
}

const STEPS = [0, 1, 0.5, 0.25, 0.75, 0.125, 0.375, 0.625, 0.875]

/** From where to where; the middle twice where there is no room between. */
function range(low: number, high: number): [number, number] {
  return low <= high ? [low, high] : [(low + high) / 2, (low + high) / 2]
}

/** The free place nearest to where a thing wants to be, or null: tried on rings around it. */
export function freePlace(want: Point, width: number, height: number, taken: readonly Box[], ok: (box: Box) => boolean): Box | null {
  const step = Math.min(width, height) / 3
  for (let ring = 0; ring < 24; ring++) {
    const places = ring ? ring * 6 : 1
    for (let turn = 0; turn < places; turn++) {
      const angle = (turn / places) * 2 * Math.PI + Math.PI / 2
      const box = around([want[0] + Math.cos(angle) * ring * step, want[1] + Math.sin(angle) * ring * step], width, height)
      if (ok(box) && taken.every((other) => apart(other, box) >= 1)) return box
    }
  }
  return null
}

/** About how wide a text is, in units of its font size: a Chinese character is 1, others about a half. */
export function textWidth(text: string): number {
  return [...text].reduce((sum, char) => sum + (char > '\u2e80' ? 1 : 0.57), 0)
}

/** The text, cut with an ellipsis to a width in units of its font size. */
export function fit(text: string, width: number): string {
  if (textWidth(text) <= width) return text
  // What stands in brackets goes first: it only adds to the name.
  const bare = text.replace(/\s*[（(][^（(]*[）)]$/, '')
  if (bare && textWidth(bare) <= width) return bare
  let cut = [...text]
  while (cut.length > 1 && textWidth(cut.join('')) + 0.8 > width) cut = cut.slice(0, -1)
  return `${cut.join('').trimEnd()}…`
}

/** The text and its font size (px): as large as its room (px) allows between two sizes, then cut. */
export function sized(text: string, room: number, most: number, least: number): { text: string; size: number } {
  const short = fit(text, room / least)
  return { text: short, size: Math.max(least, Math.min(most, room / textWidth(short))) }
}

/** The text in at most two lines of a width in units of its font size; broken between words, then cut. */
export function inLines(text: string, width: number): string[] {
  if (textWidth(text) <= width || !text.includes(' ')) return [fit(text, width)]
  const words = text.split(' ')
  let first = words.shift() ?? ''
  while (words[0] !== undefined && textWidth(`${first} ${words[0]}`) <= width) first += ` ${words.shift()}`
  return words.length ? [fit(first, width), fit(words.join(' '), width)] : [fit(first, width)]
}
