/** Entities as the views see them: whole, with what the wire left out put back at its default. */
import type * as wire from './wire'

type Whole<T> = { [K in keyof T]-?: Exclude<T[K], undefined> }

export type Probe = Whole<wire.ProbeEntity>
export type Hall = Omit<Whole<wire.HallEntity>, 'probes'> & { probes: Probe[] }
export type Zone = Whole<wire.ZoneEntity>
export type Window = Whole<wire.WindowEntity>
export type Service = Whole<wire.ServiceEntity>
export type Person = Whole<wire.PersonEntity>
export type Device = Whole<wire.DeviceEntity>
export type Alarm = Whole<wire.AlarmEntity>
export type Role = Whole<wire.RoleEntity>
export type Step = Whole<wire.StepEntity>
export type Message = Whole<wire.MessageEntity>
export type Run = Omit<Whole<wire.RunEntity>, 'roles' | 'steps' | 'messages'> & {
  roles: Role[]
  steps: Step[]
  messages: Message[]
}
export type Plan = Whole<wire.PlanEntity>
export type Ticket = Whole<wire.TicketEntity>
export type Event = Whole<wire.EventEntity>

export interface Entities {
  hall: Hall
  zone: Zone
  window: Window
  service: Service
  person: Person
  device: Device
  alarm: Alarm
  run: Run
  plan: Plan
  ticket: Ticket
  event: Event
}
export type EntityType = keyof Entities

const COUNTS = { received: 0, stored: 0, duplicate: 0, quarantined: 0, refused: 0, awaiting: 0, gaps: 0 }

/** The defaults of wire.py, by interface. A test holds that every optional field of wire.ts stands here. */
export const DEFAULTS = {
  HallEntity: {
    ...COUNTS, changes_at: null, links: {}, demo: false, clock_rate: 1, history_behind: 0, history_store: 'sqlite',
    stalled_since: null, probe: 0, unexplained: 0, lost: 0, reasons: {}, probes: [],
  },
  ProbeEntity: { at: null, took_ms: null, late: false },
  ZoneEntity: { occupancy: null, level: null, at: null, stale: false, counted: true },
  WindowEntity: {
    xy: null, people: [], pause_until: null, pause_by: null, covered_by: null, pause_reason: '', at: null,
  },
  ServiceEntity: { length: null, wait_s: null, at: null, open_windows: 0, threshold: 20, stale: false },
  PersonEntity: { first_in: null, minutes_late: null },
  DeviceEntity: {
    ...COUNTS, liveness_since: 0, name: null, zone: null, window: null, service: null, xy: null, asset: null,
    power: 'mains', model: '', last_seen: null, state: null, code: null, battery_pct: null, battery_low: false,
    skew_ms: null, shadowed: false,
  },
  AlarmEntity: {
    cleared: null, acknowledged: null, acknowledged_by: null, closed: null, verified: true, count: 1, zone: null,
    device: null, level: null, detail: '', value: null, threshold: null, run: null, ticket: null, told: 0,
    next_told: null,
  },
  RoleEntity: { told: [], answered_by: null, answered: null, next_at: null },
  StepEntity: { due: null, done: null, done_by: null, overdue: false },
  MessageEntity: { attempts: 0, updated: 0, error: '', duplicate: false },
  RunEntity: {
    verify_until: null, roles: [], steps: [], messages: [], alarms: [], zone: null, ended: null, ended_by: null,
    end_reason: null,
  },
  PlanEntity: {},
  TicketEntity: {
    count: 1, accepted: null, accepted_by: null, done: null, done_by: null, note: '', alarm: null, zone: null,
    window: null,
  },
  EventEntity: { actor: '', detail: '', kind: '', subject_type: '', subject: '', plan: null },
} as const

const INTERFACES = {
  hall: 'HallEntity', zone: 'ZoneEntity', window: 'WindowEntity', service: 'ServiceEntity', person: 'PersonEntity',
  device: 'DeviceEntity', alarm: 'AlarmEntity', run: 'RunEntity', plan: 'PlanEntity', ticket: 'TicketEntity',
  event: 'EventEntity',
} as const satisfies Record<EntityType, keyof typeof DEFAULTS>

/** True for the types that this page knows; a newer server may send more. */
export function isKnown(type: string): type is EntityType {
  return Object.hasOwn(INTERFACES, type)
}

/** The entity with every field present. */
export function complete(entity: wire.AnyEntity): Entities[EntityType] {
  const whole = { ...DEFAULTS[INTERFACES[entity.type]], ...entity }
  if (whole.type === 'hall') {
    return { ...whole, probes: (whole.probes ?? []).map((probe) => ({ ...DEFAULTS.ProbeEntity, ...probe })) } as Hall
  }
  if (whole.type !== 'run') return whole as Entities[EntityType]
  return {
    ...whole,
    roles: (whole.roles ?? []).map((role) => ({ ...DEFAULTS.RoleEntity, ...role })),
    steps: (whole.steps ?? []).map((step) => ({ ...DEFAULTS.StepEntity, ...step })),
    messages: (whole.messages ?? []).map((message) => ({ ...DEFAULTS.MessageEntity, ...message })),
  } as Run
}
