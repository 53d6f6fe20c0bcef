/** What was not heard is a hole in the line, never a straight piece over it. */

/** A value, null where the line is broken, undefined where it goes on to the next value. */
export type Drawn = number | null | undefined

/** The values as uPlot draws them: a pause of up to `hold` ms is joined, a longer one is a gap. */
export function joined(values: readonly (number | null)[], every: number, hold: number): Drawn[] {
  const drawn: Drawn[] = [...values]
  let last = -1
  values.forEach((value, index) => {
    if (value === null) return
    if (last >= 0 && (index - last) * every <= hold) drawn.fill(undefined, last + 1, index)
    last = index
  })
  return drawn
}

/** The stretches [from, to) of indices in which nothing was heard for longer than `hold` ms, up to index `until`. */
export function holes(values: readonly (number | null)[], every: number, hold: number, until = values.length): [number, number][] {
  const found: [number, number][] = []
  let last = -1
  for (let index = 0; index <= Math.min(until, values.length); index += 1) {
    const value = index < until ? values[index] : 0
    if (value == null) continue
    if (index - last > 1 && (last < 0 || index >= until || (index - last) * every > hold)) found.push([last + 1, index])
    last = index
  }
  return found
}
