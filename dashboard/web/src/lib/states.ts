/** How each state looks: a tone (colour), a glyph and the group of its word. Colour never speaks alone. */

export type Tone = 'good' | 'info' | 'warn' | 'orange' | 'alarm' | 'off' | 'unknown'
export type Look = { tone: Tone; icon: IconName }

export const ICONS = {
  check: 'M3.2 8.4l3.2 3.2 6.4-7',
  bang: 'M8 2.8v6.4M8 12.6v.3',
  ask: 'M5.4 5.9a2.6 2.6 0 1 1 3.9 2.3c-.9.5-1.3 1-1.3 1.9M8 12.8v.2',
  pause: 'M5.6 4v8M10.4 4v8',
  dash: 'M4 8h8',
  cross: 'M4.4 4.4l7.2 7.2M11.6 4.4l-7.2 7.2',
  clock: 'M8 4.8v3.4l2.3 1.5M8 2.2a5.8 5.8 0 1 0 0 11.6a5.8 5.8 0 1 0 0-11.6z',
  triangle: 'M8 2.4l6.2 11H1.8zM8 6.6v3M8 11.6v.1',
  flame: 'M8.3 1.8c.4 2.6 3.7 3.9 3.7 7.4a4 4 0 0 1-8 0c0-1.9 1-2.9 1.8-3.8.1 1.2.6 1.8 1.2 2C7.2 5.6 7.2 3.6 8.3 1.8z',
  people: 'M6 3a2 2 0 1 0 0 4a2 2 0 1 0 0-4zM2.2 13c0-2.4 1.6-4 3.8-4s3.8 1.6 3.8 4M10.6 3.3a2 2 0 0 1 0 3.5M11.6 9.3c1.4.6 2.2 1.9 2.2 3.7',
  card: 'M2.6 3.8h10.8v8.4H2.6zM2.6 6.6h10.8M5 9.6h3',
  desk: 'M8 2.4a1.9 1.9 0 1 0 0 3.8a1.9 1.9 0 1 0 0-3.8zM4.6 9.6c.3-1.5 1.6-2.3 3.4-2.3s3.1.8 3.4 2.3M2 11.2h12M3.4 11.2v2.6M12.6 11.2v2.6',
  printer: 'M4.5 6V2.6h7V6M4.5 11H2.8V6h10.4v5h-1.7M4.5 9.2h7v4.2h-7z',
  screen: 'M2.2 3.2h11.6v7.6H2.2zM5.6 13.4h4.8M8 10.8v2.6',
  network: 'M8 12.5v.2M5.7 10.1a3.3 3.3 0 0 1 4.6 0M3.5 7.7a6.4 6.4 0 0 1 9 0M1.4 5.3a9.4 9.4 0 0 1 13.2 0',
  thermometer: 'M8 2.3a1.5 1.5 0 0 1 1.5 1.5v5.1a2.7 2.7 0 1 1-3 0V3.8A1.5 1.5 0 0 1 8 2.3z',
  button: 'M8 2.2a5.8 5.8 0 1 0 0 11.6a5.8 5.8 0 1 0 0-11.6zM8 5.6a2.4 2.4 0 1 0 0 4.8a2.4 2.4 0 1 0 0-4.8z',
  door: 'M4.4 13.4V2.6h7.2v10.8M2.6 13.4h10.8M9.4 8v.4',
  pulse: 'M1.4 8.4h3l1.6-4.6 2.8 8.6 2-4h3.8',
  battery: 'M2 5.2h10v5.6H2zM14.2 7v2',
  wrench: 'M10.9 2.6a3.3 3.3 0 0 0-3.3 4.5l-5 5 1.4 1.4 5-5a3.3 3.3 0 0 0 4.3-4.1l-2 2-2-.4-.4-2z',
  queue: 'M3 4h10M3 8h7M3 12h4',
  level1: 'M3 13v-1.6M6.3 13V9',
  level2: 'M3 13v-1.6M6.3 13V9M9.6 13V6.4',
  level3: 'M3 13v-1.6M6.3 13V9M9.6 13V6.4M13 13V3.4',
  siren: 'M4 12V8.6a4 4 0 0 1 8 0V12M2.4 13.6h11.2M8 1.4v1.2M2.8 3.4l.9.9M13.2 3.4l-.9.9',
  up: 'M3 12L12.4 3.8M6.8 3.6h5.8v5.8',
  down: 'M3 4l9.4 8.2M6.8 12.4h5.8V6.6',
  flat: 'M2.6 8h10.6M9.4 4.2L13.2 8l-3.8 3.8',
  right: 'M6 3.4L10.6 8 6 12.6',
  sun: 'M8 5.2a2.8 2.8 0 1 0 0 5.6a2.8 2.8 0 1 0 0-5.6zM8 1.4v1.2M8 13.4v1.2M1.4 8h1.2M13.4 8h1.2M3.3 3.3l.9.9M11.8 11.8l.9.9M12.7 3.3l-.9.9M4.2 11.8l-.9.9',
} as const
export type IconName = keyof typeof ICONS

const UNKNOWN: Look = { tone: 'unknown', icon: 'ask' }

/** Looks by group and code; whatever is not here looks unknown, never normal. */
const LOOKS: Record<string, Record<string, Look>> = {
  staffing: {
    staffed: { tone: 'good', icon: 'check' },
    unstaffed: { tone: 'alarm', icon: 'bang' },
    paused: { tone: 'info', icon: 'pause' },
    closed: { tone: 'off', icon: 'dash' },
  },
  liveness: {
    online: { tone: 'good', icon: 'check' },
    stale: { tone: 'warn', icon: 'clock' },
    offline: { tone: 'alarm', icon: 'cross' },
  },
  state: {
    ok: { tone: 'good', icon: 'check' },
    degraded: { tone: 'warn', icon: 'triangle' },
    fault: { tone: 'alarm', icon: 'wrench' },
    off: { tone: 'off', icon: 'dash' },
    alarm: { tone: 'alarm', icon: 'bang' },
  },
  level: {
    normal: { tone: 'good', icon: 'check' },
    blue: { tone: 'info', icon: 'level1' },
    yellow: { tone: 'warn', icon: 'level2' },
    orange: { tone: 'orange', icon: 'level3' },
    red: { tone: 'alarm', icon: 'triangle' },
    uncounted: { tone: 'off', icon: 'dash' },
  },
  priority: {
    life_safety: { tone: 'alarm', icon: 'siren' },
    high: { tone: 'orange', icon: 'bang' },
    medium: { tone: 'warn', icon: 'triangle' },
    low: { tone: 'info', icon: 'dash' },
  },
  punch: {
    expected: { tone: 'off', icon: 'dash' },
    on_time: { tone: 'good', icon: 'check' },
    late: { tone: 'warn', icon: 'clock' },
    absent: { tone: 'alarm', icon: 'cross' },
  },
  ticket: {
    open: { tone: 'orange', icon: 'bang' },
    accepted: { tone: 'info', icon: 'wrench' },
    done: { tone: 'good', icon: 'check' },
  },
  stage: {
    verify: { tone: 'warn', icon: 'ask' },
    active: { tone: 'alarm', icon: 'siren' },
    ended: { tone: 'off', icon: 'check' },
  },
  message: {
    queued: { tone: 'off', icon: 'clock' },
    attempting: { tone: 'info', icon: 'right' },
    sent: { tone: 'info', icon: 'check' },
    retry: { tone: 'warn', icon: 'clock' },
    dead: { tone: 'alarm', icon: 'cross' },
    answered: { tone: 'good', icon: 'check' },
    superseded: { tone: 'off', icon: 'dash' },
  },
  origin: {
    site: { tone: 'off', icon: 'check' },
    approved: { tone: 'good', icon: 'check' },
    discovered: { tone: 'warn', icon: 'ask' },
    retired: { tone: 'off', icon: 'dash' },
  },
}

export function look(group: string, code: string | null): Look {
  return (code !== null && LOOKS[group]?.[code]) || UNKNOWN
}

const KIND_ICONS: Record<string, IconName> = {
  fire: 'flame', button: 'button', badge: 'card', presence: 'desk', people_count: 'people', crowd: 'people',
  queue: 'queue', seismic: 'pulse', environment: 'thermometer', contact: 'door', equipment: 'wrench',
  battery: 'battery', availability: 'network',
}
const ASSET_ICONS: Record<string, IconName> = {
  printer: 'printer', kiosk: 'screen', pc: 'screen', display: 'screen', ups: 'battery', network: 'network',
}

/** The symbol of a device: its asset where it is one, else the most telling kind. */
export function deviceIcon(kinds: readonly string[], asset: string | null): IconName {
  const ofAsset = asset ? ASSET_ICONS[asset] : undefined
  if (ofAsset) return ofAsset
  for (const [kind, icon] of Object.entries(KIND_ICONS)) if (kinds.includes(kind)) return icon
  return 'network'
}

export const HAZARD_ICONS: Record<string, IconName> = { fire: 'flame', crowd: 'people', earthquake: 'pulse', network: 'network' }
