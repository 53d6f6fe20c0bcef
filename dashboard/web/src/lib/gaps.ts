/** What was not heard is a hole in the line, never a straight piece over it. */
import type { History } from './api'

/** Points with a null put into each hole, since uPlot joins what has no null between; times in seconds. */
export function withGaps({ times, values }: History, every: number): [number[], (number | null)[]] {
  const xs: number[] = []
  const ys: (number | null)[] = []
  times.forEach((at, index) => {
    const last = times[index - 1]
    if (last !== undefined && at - last > every * 2.5) {
      xs.push((last + every) / 1000)
      ys.push(null)
    }
    xs.push(at / 1000)
    ys.push(values[index] ?? null)
  })
  return [xs, ys]
}
