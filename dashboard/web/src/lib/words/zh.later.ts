/** 首屏之后才取的词句。 */
import { books } from './zh/books'
import { devices } from './zh/devices'
import { gateway } from './zh/gateway'
import { plan } from './zh/plan'
import { plans } from './zh/plans'
import { problems } from './zh/problems'

export const later = { ...books, ...devices, ...gateway, ...plan, ...plans, ...problems } as const
