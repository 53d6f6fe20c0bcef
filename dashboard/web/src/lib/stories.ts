/** One alarm or one run, whole: asked for beside the live link, which carries only what is open. */
import { request } from './api'
import { complete, DEFAULTS, type Alarm, type Event, type Message, type Run, type Ticket } from './entities'
import type * as wire from './wire'

export const DISPOSITIONS = ['real', 'false', 'drill', 'test', 'maintenance'] as const

export interface AlarmStory {
  alarm: Alarm
  disposition: string | null
  /** The other alarms of its run: what else speaks for it. */
  signals: Alarm[]
  ticket: Ticket | null
  run: Run | null
  messages: Message[]
  events: Event[]
}

export interface RunStory {
  run: Run
  alarms: Alarm[]
  events: Event[]
}

interface AlarmOnWire {
  alarm: wire.AlarmEntity
  disposition: string | null
  signals: wire.AlarmEntity[]
  ticket: wire.TicketEntity | null
  run: wire.RunEntity | null
  messages: wire.MessageEntity[]
  events: wire.EventEntity[]
}

export async function alarmStory(id: string): Promise<AlarmStory> {
  const told = (await request(`alarms/${encodeURIComponent(id)}`)) as AlarmOnWire
  return {
    alarm: complete(told.alarm) as Alarm,
    disposition: told.disposition,
    signals: told.signals.map((one) => complete(one) as Alarm),
    ticket: told.ticket && (complete(told.ticket) as Ticket),
    run: told.run && (complete(told.run) as Run),
    messages: told.messages.map((one) => ({ ...DEFAULTS.MessageEntity, ...one })),
    events: told.events.map((one) => complete(one) as Event),
  }
}

export async function runStory(id: string): Promise<RunStory> {
  const told = (await request(`runs/${encodeURIComponent(id)}`)) as { run: wire.RunEntity; alarms: wire.AlarmEntity[]; events: wire.EventEntity[] }
  return {
    run: complete(told.run) as Run,
    alarms: told.alarms.map((one) => complete(one) as Alarm),
    events: told.events.map((one) => complete(one) as Event),
  }
}
