import { describe, expect, it } from 'vitest'
import { complete, DEFAULTS, type Alarm, type Run } from './entities'
import type { AlarmEntity, RunEntity } from './wire'
import wire from './wire.ts?raw'

const interfaces = [...wire.matchAll(/export interface (\w+) \{\n([^}]*)\}/g)].map(
  (match) => [match[1] as string, [...(match[2] ?? '').matchAll(/^ {2}(\w+)\?:/gm)].map((field) => field[1] as string)] as const,
)

describe('defaults', () => {
  it('stand for every field that the wire may leave out, and for no other', () => {
    expect(interfaces.length).toBeGreaterThan(14)
    for (const [name, optional] of interfaces) {
      if (name === 'Delta' || optional.length === 0) continue
      expect(Object.keys(DEFAULTS[name as keyof typeof DEFAULTS]).sort(), name).toEqual([...optional].sort())
    }
  })

  it('are put back, and what came is kept', () => {
    const alarm: AlarmEntity = {
      type: 'alarm', id: 'A1', kind: 'fire', subject_type: 'device', subject: 'd', priority: 'life_safety', raised: 1,
      since: 1, active: true, verified: false,
    }
    const whole = complete(alarm) as Alarm
    expect(whole.verified).toBe(false)
    expect(whole.acknowledged).toBeNull()
    expect(whole.count).toBe(1)
  })

  it('reach into the parts of a run', () => {
    const run: RunEntity = {
      type: 'run', id: 'R1', plan: 'fire', name: { zh: '火', en: 'fire' }, hazard: 'fire', stage: 'verify', drill: false,
      started: 1, started_by: '', why: 'alarm', stage_since: 1,
      steps: [{ id: 's', role: 'r', text: { zh: '看', en: 'look' }, stage: 'verify' }],
    }
    const whole = complete(run) as Run
    expect(whole.steps[0]?.done).toBeNull()
    expect(whole.roles).toEqual([])
  })
})
