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

export interface Demo {
  rate: number
  scenarios: Piece[]
  playing: { id: string; at: number }[]
}

export async function demo(): Promise<Demo> {
  return (await request('demo')) as Demo
}

export async function playPiece(scenario: string): Promise<void> {
  await post('demo/play', { scenario })
}
