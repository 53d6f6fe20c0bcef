/** The demo's stage: what can be made to happen in the simulated hall. A real gateway answers 404. */
import { post, request } from './api'
import type { Name } from './wire'

export interface Piece {
  id: string
  title: Name
  watch: Name
  /** In the hall's seconds. */
  lasts_s: number
}

export interface Trouble {
  id: string
  title: Name
  watch: Name
}

export interface Demo {
  rate: number
  rates: number[]
  troubles: Trouble[]
  trouble: string | null
  scenarios: Piece[]
  playing: { id: string; at: number }[]
}

/** One for the page: whoever makes something happen, the panel or a tour, the panel shows it. */
class Stage {
  shown = $state.raw<Demo | null>(null)

  async look(): Promise<void> {
    this.shown = (await request('demo')) as Demo
  }

  async go(rate: number): Promise<void> {
    this.shown = (await post('demo/speed', { rate })) as Demo
  }

  async lay(trouble: string | null): Promise<void> {
    this.shown = (await post('demo/trouble', { trouble })) as Demo
  }

  async play(scenario: string): Promise<void> {
    await post('demo/play', { scenario })
    await this.look()
  }
}

export const stage = new Stage()
