/** The demo's guided tours, as data: what each step points at, what it makes happen, and what it waits to see done. */
import type { PageName } from './route.svelte'
import { tables } from './store.svelte'

export const USERS = ['staff', 'coordinator', 'maintainer'] as const
export type User = (typeof USERS)[number]

export interface Step {
  /** Its words are `tour.USER.NAME`. */
  name: string
  /** The page that it is on, and what that is about. */
  page: PageName
  id?: string
  /** What it points at, as a selector. */
  at: string
  /** The scenario that it starts. */
  play?: string
  /** How fast the hall's clock goes from here to the tour's end, so that a plan does not end before it was looked at. */
  rate?: number
  /** It points at what only a wide window has. */
  wide?: boolean
  /** Whether what it asks for has happened. */
  seen?: () => boolean
}

const open = () => tables.alarm.list.filter((one) => one.closed === null)
const life = () => open().filter((one) => one.priority === 'life_safety')
const running = () => tables.run.list.some((one) => one.stage !== 'ended')

export const TOURS: Record<User, readonly Step[]> = {
  staff: [
    { name: 'sum', page: 'hall', at: '[data-testid=summary]' },
    { name: 'plan', page: 'hall', at: '#plan' },
    { name: 'alarm', page: 'hall', at: '#problems', play: 'printer_fault', seen: () => open().some((one) => one.kind === 'equipment_fault') },
    { name: 'window', page: 'hall', at: '#windows', seen: () => tables.window.list.some((one) => one.staffing === 'paused') },
    { name: 'queues', page: 'hall', at: '#queues' },
    { name: 'fault', page: 'hall', at: '#tickets' },
    { name: 'wall', page: 'hall', at: '[data-testid=nav-wall]', wide: true },
  ],
  coordinator: [
    { name: 'press', page: 'hall', at: '#life, #problems', play: 'call_point', rate: 1, seen: () => life().length > 0 },
    { name: 'ack', page: 'hall', at: '#life', seen: () => life().length > 0 && life().every((one) => one.acknowledged !== null) },
    { name: 'plan', page: 'hall', at: 'section[data-testid^=run-]', seen: running },
    { name: 'roles', page: 'hall', at: '[data-testid^=role-]' },
    { name: 'told', page: 'hall', at: '[data-testid^=message-]' },
    { name: 'end', page: 'hall', at: '[data-testid^=stand-down-]', seen: () => !running() },
    { name: 'hand', page: 'hall', at: '[data-testid=start-plan-button]' },
  ],
  maintainer: [
    { name: 'ticket', page: 'hall', at: '#tickets', play: 'printer_fault', seen: () => tables.ticket.list.some((one) => one.subject === 'w3-printer') },
    { name: 'devices', page: 'devices', at: '#devices' },
    { name: 'device', page: 'device', id: 'w3-printer', at: '#device' },
    { name: 'quarantine', page: 'quarantine', at: '#quarantine' },
    { name: 'account', page: 'quarantine', at: '#account' },
    { name: 'trouble', page: 'hall', at: '[data-testid=demo-open]' },
  ],
}
