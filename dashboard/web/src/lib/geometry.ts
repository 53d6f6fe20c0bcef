/** Small geometry for the floor plan; all lengths in metres, y downwards. */
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
 * Where a zone's label of the given size (left edge, middle line) stands freest of what is drawn in the zone:
 * tried on a grid, the corners first, so that a zone without anything keeps its label at its top left.
 */
export function labelPlace(outline: readonly Point[], things: readonly Point[], width: number, height: number): Point {
  const box = boxOf(outline)
  const gap = height * 0.45
  // In a zone that is hardly larger than its label, the label stands in the middle.
  const [across, down] = [(box.left + box.right - width) / 2, (box.top + box.bottom) / 2]
  const [x0, x1] = [Math.min(box.left + gap, across), Math.max(box.right - gap - width, across)]
  const [y0, y1] = [Math.min(box.top + gap + height / 2, down), Math.max(box.bottom - gap - height / 2, down)]
  let best: Point = [x0, y0]
  let most = -1
  for (const part of [0, 1, 0.5, 0.25, 0.75]) {
    for (const side of [0, 1, 0.5, 0.25, 0.75]) {
      const place: Point = [x0 + (x1 - x0) * side, y0 + (y1 - y0) * part]
      if (!inside([place[0] + width / 2, place[1]], outline)) continue
      const free = Math.min(height * 1.6, ...things.map((thing) => distance(thing, place, width, height)))
      if (free > most + 0.01) [best, most] = [place, free]
    }
  }
  return best
}

/** Distance of a point from a label's rectangle; 0 inside. */
function distance([x, y]: Point, [left, middle]: Point, width: number, height: number): number {
  const dx = Math.max(left - x, 0, x - left - width)
  const dy = Math.max(Math.abs(y - middle) - height / 2, 0)
  return Math.hypot(dx, dy)
}

/** About how wide a text is, in units of its font size: a Chinese character is 1, others about a half. */
export function textWidth(text: string): number {
  return [...text].reduce((sum, char) => sum + (char > '\u2e80' ? 1 : 0.54), 0)
}

/** The text, cut with an ellipsis to a width in units of its font size. */
export function fit(text: string, width: number): string {
  if (textWidth(text) <= width) return text
  let cut = [...text]
  while (cut.length > 1 && textWidth(cut.join('')) + 0.8 > width) cut = cut.slice(0, -1)
  return `${cut.join('').trimEnd()}…`
}
