/** The history of a thing: what can be asked for, and how it is asked. As in `dashboard/server/history.py`. */
import { address, request } from './api'
import type { Name } from './wire'
import type { AlarmEntity } from './wire'

export const SORTS = ['queue', 'window', 'zone', 'device'] as const
export type Sort = (typeof SORTS)[number]

export interface Turn {
  at: number
  state: string
}

/** Numbers of equal stretches of time; null where nothing was heard. */
export interface Curve {
  every: number
  /** Up to how far apart (ms) two values may be joined. */
  hold: number
  unit: string
  times: number[]
  values: (number | null)[]
  low: (number | null)[]
  high: (number | null)[]
  counts: number[]
  turns: Turn[]
}

export interface Stretch {
  start: number
  end: number
}

export interface Marks {
  alarms: AlarmEntity[]
  sites: { at: number; by: Name | string | null; text: string }[]
  away: Stretch[]
  lost: Stretch[]
  more: boolean
}

export interface Asked extends Stretch {
  sort: Sort
  id: string
  kind: string
  field: string
  every: number
}

function query({ sort, id, kind, field, start, end, every }: Asked, more: Record<string, string> = {}): string {
  const params = new URLSearchParams({ [sort]: id, kind, field, start: `${start}`, end: `${end}`, every: `${every}`, ...more })
  return params.toString()
}

export async function curveOf(asked: Asked): Promise<Curve> {
  return (await request(`history?${query(asked)}`)) as Curve
}

export async function marksOf(asked: Asked): Promise<Marks> {
  return (await request(`history/marks?${query(asked)}`)) as Marks
}

/** A table of each reading has fewer rows than this. */
export const RAW_MOST = 20_000

/** Where the table is fetched: of the curve, or of each reading behind it; its heads call the figure by `title`. */
export function tableOf(asked: Asked, lang: string, title: string, raw: boolean): string {
  return address(`history.csv?${query(asked, raw ? { lang, title, raw: '1' } : { lang, title })}`)
}
