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

export async function demo(): Promise<Demo> {
  return (await request('demo')) as Demo
}

export async function setRate(rate: number): Promise<Demo> {
  return (await post('demo/speed', { rate })) as Demo
}

export async function layTrouble(trouble: string | null): Promise<Demo> {
  return (await post('demo/trouble', { trouble })) as Demo
}

export async function playPiece(scenario: string): Promise<void> {
  await post('demo/play', { scenario })
}
