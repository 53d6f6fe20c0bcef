/** 中文词句，页面的第一语言，按房间分在 zh/ 里。英文的键与此相同，由类型保证。 */
import { first } from './zh.first'
import { later } from './zh.later'

export const zh = { ...first, ...later } as const
