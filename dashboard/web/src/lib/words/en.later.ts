/** The words that are fetched after the first view. */
import { books } from './en/books'
import { problems } from './en/problems'

export const later = { ...books, ...problems }
