import { describe, expect, it } from 'vitest'
import { RIGHTS, ROLES } from './accounts'
import { chooseLang, fill } from './i18n.svelte'
import { en } from './words/en'
import { zh } from './words/zh'
import { TOURS, USERS } from './tours'

const python = import.meta.glob<string>(['../../../../{sensors,alerts,dashboard}/**/*.py'], {
  query: '?raw', import: 'default', eager: true,
})
const sources = import.meta.glob<string>('../**/*.{svelte,ts}', { query: '?raw', import: 'default', eager: true })

function source(path: string): string {
  const found = Object.entries(python).find(([name]) => name.endsWith(path))
  if (!found) throw new Error(`${path} was not found`)
  return found[1]
}

/** The values of a StrEnum in a Python file. */
function codes(path: string, name: string): string[] {
  const body = source(path).split(`class ${name}(StrEnum):`)[1]?.split(/\nclass |\n@/)[0] ?? ''
  return [...body.matchAll(/^ {4}[A-Z_0-9]+ = "([a-z_0-9]+)"$/gm)].map((match) => match[1] as string)
}

/** What a sentence shows of its parameters; a mere choice between singular and plural shows nothing. */
const holes = (text: string) => [...text.matchAll(/\{(\w+)\}|%(\w+)/g)].map((match) => match[1] ?? match[2]).sort()

const rooms = import.meta.glob<Record<string, Record<string, string>>>('./words/{zh,en}/*.ts', { eager: true })

describe('the two languages', () => {
  it.each(['zh', 'en'])('have each key of %s in one room only', (lang) => {
    const keys = Object.entries(rooms).filter(([path]) => path.includes(`/${lang}/`)).flatMap(([, room]) => Object.values(room).flatMap(Object.keys))
    expect(keys.length).toBeGreaterThan(300)
    expect(keys.length).toBe(new Set(keys).size)
  })

  it('have words for all that the gateway says of itself', () => {
    const said = source('alerts/notify/words.py').split('FactKind.GATEWAY: {')[1]?.split(/\n {4}\}/)[0] ?? ''
    const told = [...said.matchAll(/^ {8}"([a-z_]+)":/gm)].map((match) => `detail.${match[1]}`)
    expect(told.length).toBeGreaterThan(10)
    expect(told.filter((key) => !(key in zh))).toEqual([])
  })

  it('have the same keys, each with words', () => {
    expect(Object.keys(en).sort()).toEqual(Object.keys(zh).sort())
    for (const text of [...Object.values(en), ...Object.values(zh)]) expect(text.trim()).not.toBe('')
  })

  it('fill the same holes', () => {
    for (const key of Object.keys(zh) as (keyof typeof zh)[]) expect(holes(en[key]), key).toEqual(holes(zh[key]))
  })

  it.each([
    ['sensors/facts.py', 'FactKind', 'fact'],
    ['sensors/readings.py', 'Kind', 'kind'],
    ['sensors/readings.py', 'CrowdLevel', 'level'],
    ['sensors/readings.py', 'EquipmentState', 'state'],
    ['sensors/readings.py', 'FireSensor', 'detail'],
    ['sensors/hall/state.py', 'Liveness', 'liveness'],
    ['sensors/hall/state.py', 'Staffing', 'staffing'],
    ['sensors/hall/state.py', 'Origin', 'origin'],
    ['sensors/hall/state.py', 'Punch', 'punch'],
    ['alerts/model.py', 'Priority', 'priority'],
    ['alerts/model.py', 'Stage', 'stage'],
    ['alerts/model.py', 'Why', 'why'],
    ['alerts/model.py', 'EndReason', 'end'],
    ['alerts/model.py', 'TicketState', 'ticket'],
    ['alerts/model.py', 'MessageState', 'message'],
  ])('have a word for every code of %s %s', (path, name, group) => {
    const found = codes(path, name)
    expect(found.length).toBeGreaterThan(2)
    for (const code of found) expect(zh, `${group}.${code}`).toHaveProperty([`${group}.${code}`])
  })

  it('have a word for every field that a device may report', () => {
    const told = source('sensors/readings.py').split('class Badge:')[1]?.split('class Clock(')[0] ?? ''
    const fields = [...told.matchAll(/^ {4}([a-z0-9_]+): /gm)].map((match) => `field.${match[1]}`)
    expect(fields.length).toBeGreaterThan(30)
    expect(fields.filter((key) => !(key in zh))).toEqual([])
  })

  it.each(['BadgeResult', 'Direction', 'ButtonAction', 'Scope'])('have a word for every value of %s', (name) => {
    const found = codes('sensors/readings.py', name).map((code) => `value.${code}`)
    expect(found.length).toBeGreaterThan(1)
    expect(found.filter((key) => !(key in zh))).toEqual([])
  })

  it('have a sentence for every refusal of an action', () => {
    const refusals = Object.entries(python)
      .filter(([path]) => !path.includes('/tests/'))
      .flatMap(([, text]) => [...text.matchAll(/RefusedError\(\s*"([a-z_]+)"/g)].map((match) => match[1] as string))
    expect(refusals.length).toBeGreaterThan(5)
    for (const code of new Set(refusals)) expect(zh, code).toHaveProperty([`problem.${code}`])
  })

  it('have a sentence for every reason of the quarantine', () => {
    const reasons = [...source('sensors/decode/reasons.py').matchAll(/Reason\(\s*"([a-z_]+)"/g)].map((match) => match[1] as string)
    expect(reasons.length).toBeGreaterThan(5)
    for (const code of reasons) expect(zh, code).toHaveProperty([`reason.${code}`])
  })

  it('have a word for each role, each right, and all that the audit writes down', () => {
    const found = Object.entries(python).filter(([path]) => path.includes('/server/')).map(([, text]) => text).join('\n')
    const noted = [...found.matchAll(/note\(request, "([a-z_.]+)"/g)].map((match) => `did.${match[1]}`)
    const done = [...source('sensors/actions.py').matchAll(/do: Literal\["([a-z_]+)"\]/g)].map((match) => `did.${match[1]}`)
    expect(codes('server/rights.py', 'Role')).toEqual([...ROLES])
    expect(codes('server/rights.py', 'Right')).toEqual([...RIGHTS])
    const roles = ROLES.flatMap((role) => [`role_is.${role}`, `role_told.${role}`])
    const keys = [...noted, ...done, ...roles, ...RIGHTS.map((right) => `right.${right}`)]
    expect(noted.length).toBeGreaterThan(15)
    expect(done.length).toBeGreaterThan(10)
    expect(keys.filter((key) => !(key in zh))).toEqual([])
  })

  it('have a sentence for every refusal of the server', () => {
    const refused = Object.entries(python)
      .filter(([path]) => path.includes('/server/'))
      .flatMap(([, text]) => [...text.matchAll(/ProblemError\(\s*\d+, "([a-z_]+)"/g)].map((match) => `problem.${match[1]}`))
    expect(refused.length).toBeGreaterThan(20)
    // No page asks for what these refuse.
    const unseen = ['problem.entry_used', 'problem.other_user', 'problem.metrics_closed']
    expect([...new Set(refused)].filter((key) => !(key in zh) && !unseen.includes(key))).toEqual([])
  })

  it('have a word for every event that the alerts write', () => {
    const events = Object.entries(python)
      .filter(([path]) => path.includes('/alerts/'))
      .flatMap(([, text]) => [...text.matchAll(/\.event\([^)]*?"([a-z]+\.[a-z_]+)"/g)].map((match) => match[1] as string))
    expect(events.length).toBeGreaterThan(5)
    for (const what of new Set(events)) expect(zh, what).toHaveProperty([`event.${what}`])
  })
})

describe('the tours', () => {
  it('have words for each step of each user, and no others', () => {
    const told = Object.keys(zh).filter((key) => /^tour\.(staff|coordinator|maintainer)\./.test(key))
    const steps = USERS.flatMap((user) => TOURS[user].map((step) => `tour.${user}.${step.name}`))
    expect(steps.length).toBeGreaterThan(15)
    expect([...told].sort()).toEqual([...steps].sort())
    for (const user of USERS) expect(zh).toHaveProperty([`tour.user.${user}`])
  })
})

describe('filling', () => {
  it('puts values in, chooses by number, and drops a dot before nobody', () => {
    expect(fill('{n|1 person|%n people} told', { n: 1 })).toBe('1 person told')
    expect(fill('{n|1 person|%n people} told', { n: 3 })).toBe('3 people told')
    expect(fill('Acknowledged · {who}', { who: 'A' })).toBe('Acknowledged · A')
    expect(fill('Acknowledged · {who}', { who: '' })).toBe('Acknowledged')
  })
})

describe('the choice of language', () => {
  it('goes by address, then by what was kept, then by the browser, and is Chinese otherwise', () => {
    expect(chooseLang('en', 'zh', ['zh-CN'])).toBe('en')
    expect(chooseLang(null, 'en', ['zh-CN'])).toBe('en')
    expect(chooseLang(null, null, ['en-GB', 'de'])).toBe('en')
    expect(chooseLang(null, null, ['en-GB', 'zh-CN'])).toBe('zh')
    expect(chooseLang('xx', null, [])).toBe('zh')
  })
})

describe('the sources', () => {
  it('hold no inline style or script, which the content security policy refuses', () => {
    for (const [path, text] of Object.entries(sources)) {
      if (!path.endsWith('.svelte')) continue
      expect(text, path).not.toMatch(/\sstyle=|\sstyle:\w+=|\stransition:\w+|\{@html/)
    }
  })

  it('stay small', () => {
    for (const [path, text] of Object.entries(sources)) {
      if (/words\/|wire\.ts/.test(path)) continue
      expect(text.split('\n').length, path).toBeLessThanOrEqual(200)
    }
  })
})
