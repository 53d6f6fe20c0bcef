import { describe, expect, it } from 'vitest'
import { Problem } from './api'
import type { Alarm } from './entities'
import { fieldsOf } from './fields'
import { apart, around, fit, inLines, inside, labelPlace, sized, textWidth } from './geometry'
import { inOrder, total } from './hall'
import { language } from './i18n.svelte'
import { describe as told } from './session.svelte'
import { deviceIcon, look } from './states'
import { store } from './store.svelte'
import { clockTime, moment, span, stopwatch } from './time'
import type { Snapshot } from './wire'
import { zh } from './words/zh'

const NINE = Date.UTC(2026, 10, 23, 1, 0, 5)

describe('times', () => {
  it('are of the hall, in 24 hours', () => {
    expect(clockTime(NINE, 'zh-CN', 'Asia/Shanghai', true)).toBe('09:00:05')
    expect(clockTime(NINE - 9 * 3_600_000, 'en-GB', 'Asia/Shanghai')).toBe('00:00')
    expect(moment(NINE, NINE, 'en-GB', 'Asia/Shanghai')).toBe('09:00')
    expect(moment(NINE - 86_400_000, NINE, 'en-GB', 'Asia/Shanghai')).toMatch(/22.*09:00/)
    // A year from now is another day of the same name.
    expect(moment(NINE + 365 * 86_400_000, NINE, 'en-GB', 'Asia/Shanghai')).toMatch(/23.*\d{4}.*09:00/)
  })

  it('are told as one figure', () => {
    expect(span(-5)).toEqual({ unit: 'now', n: 0 })
    expect(span(59_000)).toEqual({ unit: 's', n: 59 })
    expect(span(89 * 60_000)).toEqual({ unit: 'min', n: 89 })
    expect(span(30 * 3_600_000)).toEqual({ unit: 'h', n: 30 })
    expect(span(72 * 3_600_000)).toEqual({ unit: 'd', n: 3 })
    expect(stopwatch(125_000)).toBe('2:05')
    expect(stopwatch(3_725_000)).toBe('1:02:05')
    expect(stopwatch(-1)).toBe('0:00')
  })
})

describe('states', () => {
  it('look unknown when they are missing or new, never normal', () => {
    for (const code of [null, 'unknown', 'a-state-of-tomorrow']) {
      for (const group of ['staffing', 'liveness', 'level', 'state', 'punch']) {
        expect(look(group, code)).toEqual({ tone: 'unknown', icon: 'ask' })
      }
    }
    expect(look('liveness', 'online').tone).toBe('good')
  })

  it('have a symbol for each device', () => {
    expect(deviceIcon(['equipment', 'battery'], 'printer')).toBe('printer')
    expect(deviceIcon(['battery', 'fire'], null)).toBe('flame')
    expect(deviceIcon([], null)).toBe('network')
  })
})

describe('alarms', () => {
  const alarm = (id: string, priority: string, raised: number, more: Partial<Alarm> = {}) =>
    ({ id, priority, raised, acknowledged: null, closed: null, ...more }) as Alarm

  it('stand by priority, then unanswered, then the newest; closed ones are gone', () => {
    const order = inOrder([
      alarm('low', 'low', 9), alarm('old', 'high', 1), alarm('new', 'high', 5), alarm('acked', 'high', 8, { acknowledged: 8 }),
      alarm('closed', 'life_safety', 9, { closed: 9 }), alarm('fire', 'life_safety', 0),
    ])
    expect(order.map((one) => one.id)).toEqual(['fire', 'new', 'old', 'acked', 'low'])
  })

  it('of a priority that this page does not know stand first, not last', () => {
    expect(inOrder([alarm('a', 'life_safety', 1), alarm('b', 'new-word', 1)])[0]?.id).toBe('b')
  })
})

describe('what is offered', () => {
  const look = (user: string | null, rights: string[], actions: string[]): void =>
    store.snapshot({ user, rights, actions, entities: {} } as unknown as Snapshot)

  it('is all that asks for a login, to who has none', () => {
    look(null, ['see'], [])
    expect([store.offers('acknowledge'), store.may('acknowledge'), store.may('see')]).toEqual([true, false, true])
  })

  it('is what one may, to who has one', () => {
    look('wang', ['see', 'names'], ['acknowledge'])
    expect([store.offers('acknowledge'), store.offers('start_plan'), store.offers('users')]).toEqual([true, false, false])
  })
})

describe('a refusal', () => {
  it('names the plan that runs, and shows a code without words as it came', () => {
    language.words = zh
    store.snapshot({ rights: [], actions: [], entities: { p: { type: 'plan', id: 'crowd', name: { zh: '人群疏导', en: 'Crowd' } } } } as unknown as Snapshot)
    expect(told(new Problem('plan_running', 409, 'Conflict', { plan: 'crowd', run: 'R000001' }))).toBe('预案“人群疏导”正在进行')
    expect(told(new Problem('plan_running', 409, 'Conflict', { plan: 'gone' }))).toBe('预案“gone”正在进行')
    expect(told(new Problem('of_tomorrow', 409, 'Conflict'))).toBe('of_tomorrow: Conflict')
  })
})

describe('sums', () => {
  it('say when a part is unknown', () => {
    expect(total([1, 2])).toEqual({ sum: 3, part: false })
    expect(total([1, null])).toEqual({ sum: 1, part: true })
    expect(total([null])).toEqual({ sum: null, part: true })
  })
})

describe('the chart', () => {
  it('offers the fields of what a device reports', () => {
    expect(fieldsOf(['queue', 'availability']).map((one) => one.field)).toContain('length')
    expect(fieldsOf(['badge'])).toEqual([])
  })
})

describe('the plan', () => {
  const square = [[0, 0], [10, 0], [10, 8], [0, 8]] as const

  it('knows what is inside', () => {
    expect(inside([5, 4], square)).toBe(true)
    expect(inside([11, 4], square)).toBe(false)
  })

  it('puts a label where nothing stands', () => {
    const things = [[1, 1], [9, 1], [1, 7], [5, 1.5], [4, 4]].map(([x, y]) => around([x ?? 0, y ?? 0], 0.6, 0.6))
    const place = labelPlace(square, things, 3, 1.5, 0.4)
    for (const thing of things) expect(apart(thing, place)).toBeGreaterThan(0)
    expect(labelPlace(square, [], 3, 1.5, 0.4)).toEqual({ left: 0.4, top: 0.4, right: 3.4, bottom: 1.9 })
    expect(labelPlace(square, [], 9.5, 7, 0.4).left).toBeCloseTo(0.25)
  })

  it('cuts words to their room', () => {
    expect(textWidth('窗口')).toBe(2)
    expect(fit('学籍', 4)).toBe('学籍')
    expect(fit('综合业务窗口', 4)).toBe('综合业…')
  })

  it('rather lose what stands in brackets, and are smaller before they are cut', () => {
    expect(fit('综合（午间不休）', 5)).toBe('综合')
    expect(fit('General (open at noon)', 30)).toBe('General (open at noon)')
    expect(sized('学籍', 100, 12, 9)).toEqual({ text: '学籍', size: 12 })
    expect(sized('综合业务窗口', 60, 12, 9)).toEqual({ text: '综合业务窗口', size: 10 })
    expect(sized('综合（午间不休）', 36, 12, 9)).toEqual({ text: '综合', size: 12 })
    expect(sized('综合业务窗口', 36, 12, 9).text).toBe('综合业…')
    expect(sized('综合业务窗口服务', 36, 12, 9).size).toBeGreaterThanOrEqual(9)
  })

  it('go on in a second line between words', () => {
    expect(inLines('Student records', 20)).toEqual(['Student records'])
    expect(inLines('Logistics and housing', 9)).toEqual(['Logistics and', 'housing'])
    expect(inLines('学籍与成绩', 4)).toEqual(['学籍与…'])
  })
})
