/** 首屏之后才取的词句。 */
import { accounts } from './zh/accounts'
import { books } from './zh/books'
import { demo } from './zh/demo'
import { devices } from './zh/devices'
import { events } from './zh/events'
import { forms } from './zh/forms'
import { gateway } from './zh/gateway'
import { history } from './zh/history'
import { maintain } from './zh/maintain'
import { plan } from './zh/plan'
import { plans } from './zh/plans'
import { problems } from './zh/problems'
import { stories } from './zh/stories'
import { tours } from './zh/tours'
import { values } from './zh/values'

export const later = { ...accounts, ...books, ...demo, ...devices, ...events, ...forms, ...gateway, ...history, ...maintain, ...plan, ...plans, ...problems, ...stories, ...tours, ...values } as const
