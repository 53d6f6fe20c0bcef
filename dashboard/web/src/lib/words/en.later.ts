/** The words that are fetched after the first view. */
import { books } from './en/books'
import { gateway } from './en/gateway'
import { problems } from './en/problems'

export const later = { ...books, ...gateway, ...problems }
