/** 首屏之后才取的词句。 */
import { books } from './zh/books'
import { gateway } from './zh/gateway'
import { problems } from './zh/problems'

export const later = { ...books, ...gateway, ...problems } as const
