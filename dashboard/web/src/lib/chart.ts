/**
 * The history chart: uPlot with our own axis (24 h, the hall's zone), gaps left as gaps, and what happened beside the
 * line. Loaded when first shown.
 */
import uPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'
import { Around, colour, type Mark } from './beside'
import { joined } from './gaps'
import type { Curve, Stretch } from './history'
import { clockTime, dayOf, moment } from './time'

export interface Drawing {
  history: Curve
  start: number
  end: number
  /** Nothing is known after it, so nothing is missing either. */
  now: number
  /** The legend's words: the figure with its unit, the instant under the pointer, lowest and highest, a week before. */
  unit: string
  time: string
  range?: string
  weekLabel?: string
  week?: Curve | null
  marks?: Mark[]
  away?: Stretch[]
  /** Of a figure that is on or off, or in percent: where the axis ends. */
  top?: number
  height?: number
  tag: string
  zone: string
}

function figure(value: number | null | undefined): string {
  return value == null ? '–' : String(Math.round(value * 100) / 100)
}

/** Draws into the element; the answer takes it away again. */
export function draw(element: HTMLElement, drawing: Drawing): () => void {
  const { history, start, end, tag, zone, unit, week, height = 230 } = drawing
  const around = new Around(drawing)
  const axis: uPlot.Axis = {
    stroke: colour('muted'), grid: { stroke: colour('line'), width: 1 }, ticks: { show: false }, font: '12px sans-serif',
  }
  const info = colour('info')
  const long = end - start > 20 * 3_600_000
  // At the end itself there is no room for one.
  const label = (at: number) => (end - start > 3 * 86_400_000 ? dayOf(at, tag, zone) : long ? moment(at, start, tag, zone) : clockTime(at, tag, zone))
  const steps = history.unit === '%' && history.turns.length > 0
  const paths = steps ? uPlot.paths.stepped?.({ align: 1 }) : undefined
  const line = (values: (number | null)[], hold: number) => joined(values, history.every, hold)
  const series: uPlot.Series[] = [
    { label: drawing.time, value: (_, at) => (at == null ? '' : moment(at * 1000, drawing.now, tag, zone)) },
    { label: unit, stroke: info, width: 1.8, spanGaps: false, paths, value: (_, value) => figure(value) },
  ]
  const data: (number | null | undefined)[][] = [history.times.map((at) => at / 1000), line(history.values, history.hold)]
  const bands: uPlot.Band[] = []
  if (drawing.range) {
    const edge = { width: 0, stroke: 'transparent', points: { show: false } }
    series.push({ ...edge, label: drawing.range, value: (plot, low, _, at) => (at == null ? '–' : `${figure(low)} – ${figure(plot.data[3]?.[at])}`) })
    series.push({ ...edge, class: 'unsaid' })
    data.push(line(history.low, history.hold), line(history.high, history.hold))
    bands.push({ series: [3, 2], fill: colour('shade') })
  } else if (series[1]) series[1].fill = colour('shade')
  if (week) {
    series.push({ label: drawing.weekLabel ?? '', stroke: colour('muted'), width: 1.4, dash: [6, 4], spanGaps: false, paths, points: { show: false }, value: (_, value) => figure(value) })
    const shifted = history.times.map((_, index) => week.values[index] ?? null)
    data.push(line(shifted, week.hold))
  }
  const top = drawing.top
  const options: uPlot.Options = {
    width: element.clientWidth,
    height,
    padding: [drawing.marks?.length ? 20 : 8, 8, 0, 0],
    legend: { show: true, live: true },
    cursor: { y: false, points: { size: 7 }, drag: { x: false, y: false } },
    scales: {
      x: { time: true, range: [start / 1000, end / 1000] },
      // A figure that is far from zero and moves little is not drawn as a flat line at the top.
      y: { range: (_, low, high) => (top ? [0, top] : low == null || high == null ? [0, 1] : low > (high - low) * 3 ? [low - (high - low + 1) * 0.3, high + (high - low + 1) * 0.3] : [Math.min(0, low), Math.max(high * 1.12, 1)]) },
    },
    axes: [{ ...axis, space: long ? 96 : 60, values: (_, ticks) => ticks.map((at) => (at * 1000 < end ? label(at * 1000) : '')) }, { ...axis, size: 50 }],
    series,
    bands,
    hooks: { drawClear: [(plot) => around.behind(plot)], draw: [(plot) => around.before(plot)] },
    tzDate: (at) => uPlot.tzDate(new Date(at * 1000), zone),
  }
  const plot = new uPlot(options, data as uPlot.AlignedData, element)
  const size = new ResizeObserver(() => plot.setSize({ width: element.clientWidth, height }))
  size.observe(element)
  return () => (size.disconnect(), plot.destroy())
}
