/** The history chart: uPlot with our own axis (24 h, the hall's zone) and gaps left as gaps. Loaded when first shown. */
import uPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'
import type { History } from './api'
import { withGaps } from './gaps'
import { clockTime, moment } from './time'

export interface Drawing {
  history: History
  start: number
  end: number
  every: number
  unit: string
  /** The legend's words for the instant under the pointer. */
  time: string
  tag: string
  zone: string
}

function colour(name: string): string {
  const probe = document.createElement('span')
  probe.className = `probe-${name}`
  document.body.append(probe)
  const found = getComputedStyle(probe).color
  probe.remove()
  return found
}

/** Draws into the element; the answer takes it away again. */
export function draw(element: HTMLElement, drawing: Drawing): () => void {
  const { start, end, every, tag, zone, unit } = drawing
  const axis: uPlot.Axis = {
    stroke: colour('muted'), grid: { stroke: colour('line'), width: 1 }, ticks: { show: false }, font: '12px sans-serif',
  }
  const day = end - start > 20 * 3_600_000
  const options: uPlot.Options = {
    width: element.clientWidth,
    height: 220,
    legend: { show: true, live: true },
    cursor: { y: false, points: { size: 7 } },
    scales: { x: { time: true, range: [start / 1000, end / 1000] }, y: { range: (_, low, high) => [Math.min(0, low), Math.max(high * 1.12, 1)] } },
    axes: [
      { ...axis, space: 70, values: (_, ticks) => ticks.map((at) => (day ? moment(at * 1000, end, tag, zone) : clockTime(at * 1000, tag, zone))) },
      { ...axis, size: 46 },
    ],
    series: [
      { label: drawing.time, value: (_, at) => (at == null ? '' : clockTime(at * 1000, tag, zone, true)) },
      {
        label: unit, stroke: colour('info'), fill: colour('shade'), width: 1.8, spanGaps: false,
        value: (_, value) => (value == null ? '–' : String(Math.round(value * 100) / 100)),
      },
    ],
  }
  const plot = new uPlot(options, withGaps(drawing.history, every), element)
  const size = new ResizeObserver(() => plot.setSize({ width: element.clientWidth, height: 220 }))
  size.observe(element)
  return () => (size.disconnect(), plot.destroy())
}
