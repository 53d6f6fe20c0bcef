import { describe, expect, it } from 'vitest'
import { DEFAULTS, type Event, type Role, type Step } from './entities'
import { partOf } from './parts'

const step = { ...DEFAULTS.StepEntity, id: 'call-119', role: 'liaison', stage: 'active', text: { zh: '拨打 119', en: 'Call 119' } } as Step
const role = { ...DEFAULTS.RoleEntity, told: [], id: 'liaison', name: { zh: '通信联络组', en: 'Communication' } } as Role
const run = { steps: [step], roles: [role] }
const event = (what: string, detail: string) => ({ id: '1', type: 'event', at: 0, about: 'R000001', actor: '', what, detail }) as unknown as Event

describe('the part of a plan that an event is about', () => {
  it('is a step by its text, with what was written beside it', () => {
    expect(partOf(run, event('run.step_done', 'call-119 they come in five minutes'))).toEqual({ part: step.text, note: 'they come in five minutes' })
    expect(partOf(run, event('run.step_overdue', 'call-119'))).toEqual({ part: step.text, note: '' })
  })

  it('is a role by its name', () => {
    expect(partOf(run, event('run.role_taken', 'liaison'))).toEqual({ part: role.name, note: '' })
  })

  it('is nothing at the end of a run, whose note stands behind why it ended', () => {
    expect(partOf(run, event('run.ended', 'false_alarm steam from the kitchen'))).toEqual({ part: null, note: 'steam from the kitchen' })
    expect(partOf(run, event('run.ended', 'drill_over'))).toEqual({ part: null, note: '' })
  })

  it('is nothing where the run is not known, or the detail is hidden, or says something else', () => {
    expect(partOf(null, event('run.step_done', 'call-119'))).toEqual({ part: null, note: '' })
    expect(partOf(run, event('run.step_done', ''))).toEqual({ part: null, note: '' })
    expect(partOf(run, event('alarm.noted', 'two people look'))).toEqual({ part: null, note: 'two people look' })
  })
})
