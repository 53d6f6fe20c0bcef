/** English words, by room as in zh/; the types hold the keys equal. `{n|one|many}` chooses by number. */
import { first } from './en.first'
import { later } from './en.later'
import type { zh } from './zh'

export const en: Record<keyof typeof zh, string> = { ...first, ...later }
