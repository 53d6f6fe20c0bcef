/** 首屏要用的词句。 */
import { alarms } from './zh/alarms'
import { devices } from './zh/devices'
import { page } from './zh/page'
import { place } from './zh/place'
import { plans } from './zh/plans'

export const first = { ...page, ...alarms, ...plans, ...place, ...devices } as const
