/** English words, by room as in zh/; the types hold the keys equal. `{n|one|many}` chooses by number. */
import { alarms } from './en/alarms'
import { devices } from './en/devices'
import { page } from './en/page'
import { place } from './en/place'
import { plans } from './en/plans'
import { problems } from './en/problems'
import type { zh } from './zh'

export const en: Record<keyof typeof zh, string> = { ...page, ...alarms, ...plans, ...place, ...devices, ...problems }
