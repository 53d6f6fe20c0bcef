/** The words of the first view. */
import { alarms } from './en/alarms'
import { live } from './en/live'
import { page } from './en/page'
import { place } from './en/place'

export const first = { ...page, ...alarms, ...live, ...place }
