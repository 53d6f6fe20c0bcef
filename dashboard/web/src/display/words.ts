/** The display's own words: a wall in a hall speaks both languages at once, or the one that its address names. */
import type { IconName, Tone } from '../lib/states'

export type Lang = 'zh' | 'en'

export const WORDS = {
  'state.open': ['办理中', 'Open'],
  'state.paused': ['暂停', 'Paused'],
  'state.away': ['暂无人', 'Unattended'],
  'state.closed': ['未开放', 'Closed'],
  'state.unknown': ['请询问工作人员', 'Please ask our staff'],
  windows: ['窗口', 'Windows'],
  queues: ['排队', 'Queues'],
  notices: ['公告', 'Notices'],
  until: ['预计 {time} 恢复', 'back at {time}'],
  people: ['人等候', 'waiting'],
  wait: ['约 {n} 分钟', 'about {n} min'],
  soon: ['无需等候', 'no waiting'],
  unknown: ['等候时间未知', 'wait not known'],
  at: ['请到 {n} 号窗口', 'window {n}'],
  'at.many': ['请到 {n} 号窗口', 'windows {n}'],
  nowhere: ['暂无窗口办理', 'no window at present'],
  'hall.open': ['开放中 · 至 {time}', 'Open until {time}'],
  'hall.closed': ['未开放 · {time} 开放', 'Closed · opens {time}'],
  'hall.shut': ['未开放', 'Closed'],
  stale: ['信息已 {n} 秒未更新，请以现场为准', 'Not updated for {n} s: please rely on what you see in the hall'],
  lost: ['与服务器的连接已断开，正在重连', 'The link to the server is lost; trying again'],
  deaf: ['现场设备的数据暂时收不到', 'No data from the hall just now'],
  waiting: ['正在连接…', 'Connecting…'],
  off: ['此大厅没有公共显示屏', 'This hall has no public display'],
  demo: ['演示', 'Demo'],
  drill: ['演练', 'DRILL'],
  'drill.note': ['这是演练，请按工作人员指引配合', 'This is a drill: please follow the staff'],
  'plan.fire': ['发生火情，请立即沿疏散指示有序撤离，不要乘坐电梯', 'Fire. Leave now by the marked exits. Do not use the lifts'],
  'plan.earthquake': ['地震，请就近避险，护住头部，远离玻璃和吊灯', 'Earthquake. Take cover, protect your head, keep away from glass'],
  'plan.crowd': ['大厅人员过多，请听从指挥，缓慢有序离开，不要推挤', 'The hall is overcrowded. Leave slowly, do not push, follow the staff'],
  'plan.other': ['请听从现场工作人员指挥', 'Please follow the instructions of the staff'],
} as const satisfies Record<string, readonly [string, string]>

export type Word = keyof typeof WORDS

export const LOOKS: Record<string, { tone: Tone; icon: IconName }> = {
  open: { tone: 'good', icon: 'check' },
  paused: { tone: 'info', icon: 'pause' },
  away: { tone: 'orange', icon: 'clock' },
  closed: { tone: 'off', icon: 'dash' },
}
export const UNKNOWN: { tone: Tone; icon: IconName } = { tone: 'unknown', icon: 'ask' }

/** A word in a language, with its holes filled. */
export function say(lang: Lang, word: Word, params: Record<string, string | number> = {}): string {
  return WORDS[word][lang === 'zh' ? 0 : 1].replace(/\{(\w+)\}/g, (_, name: string) => String(params[name] ?? ''))
}
