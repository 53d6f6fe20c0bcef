/** 首屏要用的词句。 */
import { alarms } from './zh/alarms'
import { live } from './zh/live'
import { page } from './zh/page'
import { place } from './zh/place'

export const first = { ...page, ...alarms, ...live, ...place } as const
