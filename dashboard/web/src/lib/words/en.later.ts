/** The words that are fetched after the first view. */
import { accounts } from './en/accounts'
import { books } from './en/books'
import { demo } from './en/demo'
import { devices } from './en/devices'
import { events } from './en/events'
import { forms } from './en/forms'
import { gateway } from './en/gateway'
import { history } from './en/history'
import { maintain } from './en/maintain'
import { plan } from './en/plan'
import { plans } from './en/plans'
import { problems } from './en/problems'
import { stories } from './en/stories'
import { tours } from './en/tours'
import { values } from './en/values'

export const later = { ...accounts, ...books, ...demo, ...devices, ...events, ...forms, ...gateway, ...history, ...maintain, ...plan, ...plans, ...problems, ...stories, ...tours, ...values }
