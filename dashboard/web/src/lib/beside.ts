/** What stands beside a chart's line, drawn on its canvas: gaps, alarms, changes, and how a window was staffed. */
import type uPlot from 'uplot'
import { holes } from './gaps'
import type { Curve, Stretch, Turn } from './history'
import { look, type Tone } from './states'

export interface Mark extends Stretch {
  tone: Tone
  /** A span is shaded, an instant is a dashed line; each has its sign at the top. */
  sign: string
}

interface Beside {
  history: Curve
  end: number
  now: number
  marks?: Mark[]
  away?: Stretch[]
}

/** A token's colour in the theme that is shown, for a canvas. */
export function colour(name: string): string {
  const probe = document.createElement('span')
  probe.className = `probe-${name}`
  document.body.append(probe)
  const found = getComputedStyle(probe).color
  probe.remove()
  return found
}

const TONES: Tone[] = ['good', 'info', 'warn', 'orange', 'alarm', 'off', 'unknown']
const STRIP = 10

/** What is drawn around the line, with the colours of the theme. */
export class Around {
  readonly #tones = Object.fromEntries(TONES.map((tone) => [tone, colour(tone)])) as Record<Tone, string>
  readonly #muted = colour('muted')
  readonly #line = colour('line')
  readonly #dots = devicePixelRatio

  constructor(readonly drawing: Beside) {}

  /** Behind the line: where nothing is known, and how long alarms lasted. */
  behind(plot: uPlot): void {
    const { history, now, marks = [], away = [] } = this.drawing
    const { times, values, every, hold } = history
    const past = times.findIndex((at) => at >= now)
    for (const [from, to] of holes(values, every, hold, past < 0 ? times.length : past)) {
      this.#hatch(plot, { start: times[from] ?? 0, end: (times[to - 1] ?? 0) + every }, this.#line)
    }
    for (const stretch of away) this.#hatch(plot, stretch, this.#muted)
    for (const mark of marks) {
      if (mark.end <= mark.start) continue
      const [left, width] = this.#span(plot, mark)
      plot.ctx.save()
      plot.ctx.globalAlpha = 0.14
      plot.ctx.fillStyle = this.#tones[mark.tone]
      plot.ctx.fillRect(left, plot.bbox.top, width, plot.bbox.height)
      plot.ctx.restore()
    }
  }

  /** Before the line: the signs of what happened, and how a window was staffed. */
  before(plot: uPlot): void {
    const { ctx, bbox } = plot
    const { marks = [], history, end, now } = this.drawing
    const dots = this.#dots
    for (const mark of marks) {
      const at = plot.valToPos(mark.start / 1000, 'x', true)
      if (at < bbox.left - 1 || at > bbox.left + bbox.width + 1) continue
      ctx.save()
      ctx.strokeStyle = ctx.fillStyle = this.#tones[mark.tone]
      ctx.lineWidth = dots
      ctx.setLineDash(mark.end > mark.start ? [] : [4 * dots, 3 * dots])
      ctx.beginPath()
      ctx.moveTo(at, bbox.top)
      ctx.lineTo(at, bbox.top + bbox.height)
      ctx.stroke()
      ctx.font = `${13 * dots}px sans-serif`
      ctx.textAlign = 'center'
      ctx.fillText(mark.sign, at, bbox.top - 3 * dots)
      ctx.restore()
    }
    history.turns.forEach((turn, index) => {
      const stop = Math.min(history.turns[index + 1]?.at ?? end, now)
      if (stop > turn.at) this.#strip(plot, turn, stop)
    })
  }

  #strip(plot: uPlot, turn: Turn, stop: number): void {
    const [left, width] = this.#span(plot, { start: turn.at, end: stop })
    const { ctx, bbox } = plot
    ctx.save()
    ctx.fillStyle = this.#tones[look('staffing', turn.state).tone]
    ctx.fillRect(left, bbox.top + bbox.height - STRIP * this.#dots, width, STRIP * this.#dots)
    ctx.restore()
  }

  #span(plot: uPlot, { start, end }: Stretch): [left: number, width: number] {
    const { left, width } = plot.bbox
    const hold = (at: number) => Math.min(left + width, Math.max(left, plot.valToPos(at / 1000, 'x', true)))
    return [hold(start), hold(end) - hold(start)]
  }

  #hatch(plot: uPlot, stretch: Stretch, stroke: string): void {
    const [left, width] = this.#span(plot, stretch)
    if (width <= 0) return
    const { ctx, bbox } = plot
    const step = 7 * this.#dots
    ctx.save()
    ctx.beginPath()
    ctx.rect(left, bbox.top, width, bbox.height)
    ctx.clip()
    ctx.strokeStyle = stroke
    ctx.lineWidth = this.#dots
    ctx.beginPath()
    // Begins at a place of the whole chart, so that stripes of two stretches meet.
    for (let x = bbox.left - bbox.height; x < left + width; x += step) {
      ctx.moveTo(x, bbox.top + bbox.height)
      ctx.lineTo(x + bbox.height, bbox.top)
    }
    ctx.stroke()
    ctx.restore()
  }
}
