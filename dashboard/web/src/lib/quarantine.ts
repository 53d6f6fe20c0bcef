/** What could not be read, as people work on it: look, mend and replay, discard. */
import { post, request } from './api'

/** A message that could not be read: why, and what it said (its beginning, as text). */
export interface Held {
  id: number
  state: string
  at: number
  device: string | null
  topic: string
  reason: string
  detail: string
  retained: boolean
  length: number
  text: string
  /** Who settled it, when, and what was mended of it. */
  settled: { by: string | { zh: string; en: string }; at: number; topic: string | null; text?: string } | null
}

/** Those in a state, newest first; `before` asks for the page after one. */
export async function quarantine(state: string, before: string | null): Promise<{ items: Held[]; next: string | null }> {
  const page = before === null ? '' : `&before=${encodeURIComponent(before)}`
  return (await request(`quarantine?limit=20&state=${state}${page}`)) as { items: Held[]; next: string | null }
}

/** One of them with all that is kept of its payload; the list shows the beginning of a long one. */
export async function quarantinedWhole(held: Held): Promise<Held> {
  const page = (await request(`quarantine?state=all&whole=1&limit=1&before=${held.id + 1}`)) as { items: Held[] }
  return page.items[0] ?? held
}

/** True when its text is only the beginning of what came. */
export function isCut(held: Held): boolean {
  return new TextEncoder().encode(held.text).length < held.length
}

/** What of it is mended; what is left out stays as it came. */
export type Mend = { topic?: string; text?: string }

export async function settle(id: number, how: 'replay' | 'discard', mend: Mend = {}): Promise<void> {
  await post(`quarantine/${id}/${how}`, mend)
}
