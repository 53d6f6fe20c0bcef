/** What a maintainer asks beside the live link: one device whole, its raw messages, the site file loaded anew. */
import { post, request } from './api'
import { fieldsOf } from './fields'
import { t, word } from './i18n.svelte'

export interface Suggested {
  kinds: string[]
  power: string
  zone: string | null
  window: string | null
  service: string | null
  /** What it rests on: window, zone, service, neighbour. */
  why: string[]
}

export interface DeviceMore {
  address: string
  first_seen: number | null
  account: { reasons: Record<string, number> }
  boots: { boot: number; first: number; highest: number }[]
  clock: string
  signs: boolean
  suggested: Suggested | null
}

/** A message as it came, with what became of it. */
export interface Raw {
  at: number
  topic: string
  verdict: string
  reason: string
  detail: string
  retained: boolean
  length: number
  text: string
  base64: string
  values: { kind: string; value: Record<string, unknown> }[]
  /** Its row in the quarantine. */
  row: number | null
}

export interface SiteChange {
  what: string
  text: string
}

export async function deviceMore(id: string): Promise<DeviceMore> {
  return (await request(`devices/${encodeURIComponent(id)}`)) as DeviceMore
}

export async function rawMessages(id: string, limit: number): Promise<{ items: Raw[]; since: number | null }> {
  return (await request(`devices/${encodeURIComponent(id)}/messages?limit=${limit}`)) as { items: Raw[]; since: number | null }
}

export async function reloadSite(): Promise<SiteChange[]> {
  return ((await post('site/reload', {})) as { changes: SiteChange[] }).changes
}

/** Alarms of one device, newest first, the closed ones too; what is open comes by the live link as well. */
export async function pastAlarms<T extends { id: string }>(mine: (one: T) => boolean): Promise<T[]> {
  const page = (await request('alarms?limit=200')) as { items: T[] }
  return page.items.filter(mine)
}

/** JSON as people read it, a line for each key; what is none stays as it came. A signature keeps its line below. */
export function pretty(text: string): string {
  const cut = text.lastIndexOf('\n#')
  const [body, rest] = cut > 0 ? [text.slice(0, cut), text.slice(cut)] : [text, '']
  try {
    return JSON.stringify(JSON.parse(body), null, 2) + rest
  } catch {
    return text
  }
}

/** What was read, in a few words: `length 3 people, wait 40 s`. */
export function said(kind: string, value: Record<string, unknown>): string {
  return Object.entries(value)
    .filter(([name, given]) => given !== null && (given !== false || TOLD.includes(name)))
    .map(([name, given]) => `${word('field', name)} ${figure(kind, name, given)}`)
    .join(t('comma'))
}

// What is worth a word also where it is not so; of a test, a fault or a tamper it is told when there is one.
const TOLD = ['alarm', 'present', 'open', 'online']
// Where the word for what stands in a field is kept; codes that a device's maker chose have none, and stay.
const GROUPS: Record<string, string> = { state: 'state', level: 'level', sensor: 'detail', code: 'detail' }

function figure(kind: string, name: string, given: unknown): string {
  if (typeof given !== 'number') return word(GROUPS[name] ?? 'value', String(given))
  const unit = fieldsOf([kind]).find((one) => one.field === name)?.unit
  return `${Math.round(given * 100) / 100}${unit ? ` ${word('unit', unit)}` : ''}`
}
