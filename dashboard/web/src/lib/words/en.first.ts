/** The words of the first view. */
import { alarms } from './en/alarms'
import { devices } from './en/devices'
import { page } from './en/page'
import { place } from './en/place'
import { plans } from './en/plans'

export const first = { ...page, ...alarms, ...plans, ...place, ...devices }
