import { describe, expect, it } from 'vitest'
import { language } from './i18n.svelte'
import { said } from './maintain'
import { en } from './words/en'
import { zh } from './words/zh'

describe('what a device said, in a few words', () => {
  it('has the names of the fields, their units, and words for what stands in them', () => {
    language.words = en
    expect(said('queue', { length: 3, wait_s: 40.456, head_wait_s: null })).toMatch(/^length 3 people.+wait 40\.46 s$/)
    expect(said('equipment', { state: 'fault', code: 'E-17' })).toMatch(/^state Fault.+code E-17$/)
    language.words = zh
    expect(said('presence', { present: false })).toBe('在位 否')
  })

  it('leaves out what is not the case, unless that is the news', () => {
    language.words = en
    expect(said('fire', { alarm: false, sensor: 'smoke', test: false, fault: false })).toMatch(/^alarm no.+sensor smoke$/)
    expect(said('fire', { alarm: true, sensor: 'mcp', test: true })).toMatch(/^alarm yes.+sensor manual call point.+test yes$/)
  })
})
