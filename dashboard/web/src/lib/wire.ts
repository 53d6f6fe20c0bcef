/**
 * What the server sends, field for field as in `dashboard/server/wire.py`; a test compares the two files.
 *
 * A field that stands at its default is left out on the wire (hence `?`); `entities.ts` puts it back.
 * All instants are ms since the epoch on the server's clock.
 */

export interface Name {
  zh: string
  en: string
}

export interface Entity {
  type: string
  id: string
}

export interface ProbeEntity {
  lane: string
  at?: number | null
  took_ms?: number | null
  late?: boolean
}

export interface HallEntity {
  type: 'hall'
  id: string
  name: Name
  timezone: string
  size: [number, number]
  open: boolean
  changes_at?: number | null
  links?: Record<string, boolean>
  demo?: boolean
  clock_rate?: number
  received?: number
  stored?: number
  duplicate?: number
  quarantined?: number
  refused?: number
  awaiting?: number
  probe?: number
  gaps?: number
  unexplained?: number
  lost?: number
  reasons?: Record<string, number>
  probes?: ProbeEntity[]
  history_behind?: number
  history_store?: string
  stalled_since?: number | null
}

export interface ZoneEntity {
  type: 'zone'
  id: string
  name: Name
  outline: [number, number][]
  area_m2: number
  capacity: number
  occupancy?: number | null
  level?: string | null
  at?: number | null
  stale?: boolean
  counted?: boolean
}

export interface WindowEntity {
  type: 'window'
  id: string
  number: number
  name: Name
  zone: string
  services: string[]
  staffing: string
  since: number
  xy?: [number, number] | null
  people?: Name[]
  pause_until?: number | null
  pause_by?: Name | string | null
  covered_by?: Name | null
  pause_reason?: string
  at?: number | null
}

export interface ServiceEntity {
  type: 'service'
  id: string
  name: Name
  length?: number | null
  wait_s?: number | null
  at?: number | null
  open_windows?: number
  threshold?: number
  stale?: boolean
}

export interface PersonEntity {
  type: 'person'
  id: string
  name: Name
  window: string
  start: number
  end: number
  punch: string
  first_in?: number | null
  minutes_late?: number | null
}

export interface DeviceEntity {
  type: 'device'
  id: string
  family: string
  origin: string
  kinds: string[]
  liveness: string
  liveness_since?: number
  name?: Name | null
  zone?: string | null
  window?: string | null
  service?: string | null
  xy?: [number, number] | null
  asset?: string | null
  power?: string
  model?: string
  last_seen?: number | null
  state?: string | null
  code?: string | null
  battery_pct?: number | null
  battery_low?: boolean
  skew_ms?: number | null
  gaps?: number
  received?: number
  stored?: number
  duplicate?: number
  quarantined?: number
  refused?: number
  awaiting?: number
  shadowed?: boolean
}

export interface AlarmEntity {
  type: 'alarm'
  id: string
  kind: string
  subject_type: string
  subject: string
  priority: string
  raised: number
  since: number
  active: boolean
  cleared?: number | null
  acknowledged?: number | null
  acknowledged_by?: Name | string | null
  closed?: number | null
  verified?: boolean
  count?: number
  zone?: string | null
  device?: string | null
  level?: string | null
  detail?: string
  value?: number | null
  threshold?: number | null
  run?: string | null
  ticket?: string | null
  told?: number
  next_told?: number | null
}

export interface RoleEntity {
  id: string
  name: Name
  told?: Name[]
  answered_by?: Name | string | null
  answered?: number | null
  next_at?: number | null
}

export interface StepEntity {
  id: string
  role: string
  text: Name
  stage: string
  due?: number | null
  done?: number | null
  done_by?: Name | string | null
  overdue?: boolean
}

export interface MessageEntity {
  id: string
  to: Name | null
  channel: string
  state: string
  attempts?: number
  updated?: number
  error?: string
  duplicate?: boolean
}

export interface RunEntity {
  type: 'run'
  id: string
  plan: string
  name: Name
  hazard: string
  stage: string
  drill: boolean
  started: number
  started_by: Name | string
  why: string
  stage_since: number
  verify_until?: number | null
  roles?: RoleEntity[]
  steps?: StepEntity[]
  messages?: MessageEntity[]
  alarms?: string[]
  zone?: string | null
  ended?: number | null
  ended_by?: Name | string | null
  end_reason?: string | null
}

export interface PlanEntity {
  type: 'plan'
  id: string
  name: Name
  hazard: string
  version: number
}

export interface TicketEntity {
  type: 'ticket'
  id: string
  state: string
  subject_type: string
  subject: string
  text: string
  opened: number
  opened_by: Name | string
  updated: number
  count?: number
  accepted?: number | null
  accepted_by?: Name | string | null
  done?: number | null
  done_by?: Name | string | null
  note?: string
  alarm?: string | null
  zone?: string | null
  window?: string | null
}

export interface EventEntity {
  type: 'event'
  id: string
  at: number
  what: string
  about: string
  actor?: Name | string
  detail?: string
  kind?: string
  subject_type?: string
  subject?: string
  plan?: Name | null
}

export type AnyEntity =
  | HallEntity
  | ZoneEntity
  | WindowEntity
  | ServiceEntity
  | PersonEntity
  | DeviceEntity
  | AlarmEntity
  | RunEntity
  | PlanEntity
  | TicketEntity
  | EventEntity

export interface Snapshot {
  t: 'snapshot'
  seq: number
  now: number
  build: string
  user: string | null
  csrf: string | null
  role: string | null
  rights: string[]
  actions: string[]
  entities: Record<string, AnyEntity>
}

export interface Delta {
  t: 'delta'
  seq: number
  now: number
  set: Record<string, AnyEntity>
  gone?: string[]
}
