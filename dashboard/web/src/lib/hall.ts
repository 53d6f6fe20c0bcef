/** What several views ask of the tables: names, places, order of problems, sums. Reads only. */
import type { Alarm, Device, Ticket, Zone } from './entities'
import { named, t, word } from './i18n.svelte'
import { tables } from './store.svelte'
import type { Name } from './wire'

export type Point = readonly [number, number]

const RANKS = ['life_safety', 'high', 'medium', 'low']

/** Alarms that somebody still must answer: by priority, then unanswered before answered, then the newest. */
export function inOrder(alarms: readonly Alarm[]): Alarm[] {
  // A priority of tomorrow (-1) stands before all.
  const rank = (alarm: Alarm) => RANKS.indexOf(alarm.priority)
  const answered = (alarm: Alarm) => Number(alarm.acknowledged !== null)
  return alarms
    .filter((alarm) => alarm.closed === null)
    .sort((a, b) => rank(a) - rank(b) || answered(a) - answered(b) || b.raised - a.raised)
}

export function nameOf(entity: { id: string; name: Name | null } | undefined, id: string): string {
  return entity?.name ? named(entity.name) : id
}

export function zoneName(id: string | null): string {
  return id ? nameOf(tables.zone.get(id), id) : ''
}

export function windowName(id: string | null): string {
  const found = tables.window.get(id)
  return found ? `${t('window.number', { n: found.number })} ${named(found.name)}` : (id ?? '')
}

/** Who did something: a person by name, a device or an alarm by what it is about, who sat at the server, else a part of the system, or a user. */
export function who(actor: Name | string | null): string {
  if (actor === null) return ''
  if (typeof actor !== 'string') return named(actor)
  const device = tables.device.get(actor)
  if (device) return nameOf(device, actor)
  // By the command at the server itself; in a demo that is whoever acts in its scenarios.
  if (actor.startsWith('local:')) return tables.hall.list.some((one) => one.demo) ? t('actor.demo') : t('actor.local', { who: actor.slice(6) })
  const alarm = tables.alarm.get(actor)
  return alarm ? subjectName(alarm.subject_type, alarm.subject) : word('actor', actor)
}

/** The thing that an alarm or ticket is about, in words. */
export function subjectName(type: string, id: string): string {
  switch (type) {
    case 'window':
      return windowName(id)
    case 'zone':
      return zoneName(id)
    case 'service':
      return nameOf(tables.service.get(id), id)
    case 'device':
      return nameOf(tables.device.get(id), id)
    case 'hall':
      return nameOf(tables.hall.get(id), id)
    case 'person':
      // A person's entities are sessions, keyed person/window/start.
      return nameOf(
        tables.person.list.find((one) => one.id.startsWith(`${id}/`)),
        id,
      )
    default:
      return `${word('subject', type)} ${id}`
  }
}

/** Where it is, said after its name: the zone, unless that is the thing itself. */
export function whereOf(thing: Alarm | Ticket): string {
  const zone = thing.zone ?? tables.window.get(thing.type === 'ticket' ? thing.window : thing.subject)?.zone ?? null
  return thing.subject_type === 'zone' ? '' : zoneName(zone)
}

export function centre(zone: Zone): Point {
  const xs = zone.outline.map(([x]) => x)
  const ys = zone.outline.map(([, y]) => y)
  return [(Math.min(...xs) + Math.max(...xs)) / 2, (Math.min(...ys) + Math.max(...ys)) / 2]
}

/** The place on the plan of an alarm: its device's (a queue's counter), its window's, or its zone's middle. */
export function placeOf(alarm: Alarm): Point | null {
  // A long queue stands where it is counted.
  const counter = alarm.subject_type === 'service' ? tables.device.list.find((one) => one.service === alarm.subject && one.xy) : undefined
  const device = counter ?? tables.device.get(alarm.device ?? (alarm.subject_type === 'device' ? alarm.subject : null))
  const window = tables.window.get(alarm.subject_type === 'window' ? alarm.subject : device?.window)
  const zone = tables.zone.get(alarm.subject_type === 'zone' ? alarm.subject : (alarm.zone ?? device?.zone))
  return device?.xy ?? window?.xy ?? (zone?.outline.length ? centre(zone) : null)
}

/** A zone's crowd level as its look's code: null while it is unknown, `uncounted` where nothing counts. */
export function levelOf(zone: Zone): string | null {
  return zone.counted ? (zone.stale ? null : zone.level) : 'uncounted'
}

/** Whether the site file draws anything at all: one that was just begun does not. */
export function drawn(): boolean {
  return tables.zone.list.some((one) => one.outline.length > 2) || [...tables.window.list, ...tables.device.list].some((one) => one.xy)
}

/** The devices that count here but have no place on the plan. */
export function unplaced(devices: readonly Device[]): Device[] {
  return devices.filter((one) => one.xy === null && (one.origin === 'site' || one.origin === 'approved'))
}

/** Whether a device needs a look: it is not heard, or what it says is not well. */
export function needsLook(device: Device): boolean {
  if (device.origin === 'retired' || device.origin === 'discovered') return false
  return device.liveness !== 'online' || device.battery_low || !['ok', 'off', null].includes(device.state)
}

/** A sum that is unknown as soon as nothing of it is known; `part` says that some of it is missing. */
export function total(values: readonly (number | null)[]): { sum: number | null; part: boolean } {
  const known = values.filter((value) => value !== null)
  return { sum: known.length ? known.reduce((a, b) => a + b, 0) : null, part: known.length < values.length }
}
