/** 中文词句，页面的第一语言，按房间分在 zh/ 里。英文的键与此相同，由类型保证。 */
import { alarms } from './zh/alarms'
import { devices } from './zh/devices'
import { page } from './zh/page'
import { place } from './zh/place'
import { plans } from './zh/plans'
import { problems } from './zh/problems'

export const zh = { ...page, ...alarms, ...plans, ...place, ...devices, ...problems } as const
