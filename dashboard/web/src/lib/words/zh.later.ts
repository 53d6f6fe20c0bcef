/** 首屏之后才取的词句。 */
import { books } from './zh/books'
import { problems } from './zh/problems'

export const later = { ...books, ...problems } as const
