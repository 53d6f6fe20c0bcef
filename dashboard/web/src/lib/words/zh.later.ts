/** 首屏之后才取的词句。 */
import { books } from './zh/books'
import { devices } from './zh/devices'
import { events } from './zh/events'
import { gateway } from './zh/gateway'
import { maintain } from './zh/maintain'
import { plan } from './zh/plan'
import { plans } from './zh/plans'
import { problems } from './zh/problems'

export const later = { ...books, ...devices, ...events, ...gateway, ...maintain, ...plan, ...plans, ...problems } as const
