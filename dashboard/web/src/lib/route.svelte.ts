/**
 * Which page is shown. It stands in the address's fragment (`#/device/reader-3`), so that a page can be sent to a
 * colleague, the browser's back button works, and the server knows one page only. `#problems` is a place within one.
 */
export type PageName = 'hall' | 'alarm' | 'run' | 'devices' | 'device' | 'history' | 'quarantine' | 'users' | 'audit' | 'me' | 'first' | 'password'

export interface Place {
  page: PageName
  /** What it is about, or ''. */
  id: string
  query: URLSearchParams
}

const NAMES: ReadonlySet<string> = new Set(['hall', 'alarm', 'run', 'devices', 'device', 'history', 'quarantine', 'users', 'audit', 'me', 'first', 'password'])
const HALL: Place = { page: 'hall', id: '', query: new URLSearchParams() }

/** Read a fragment; one that names no page is the hall. */
export function placeOf(fragment: string): Place {
  if (!fragment.startsWith('#/')) return HALL
  const [path = '', query = ''] = fragment.slice(2).split('?', 2)
  const [page = '', id = ''] = path.split('/', 2)
  return NAMES.has(page) ? { page: page as PageName, id: safe(id), query: new URLSearchParams(query) } : HALL
}

/** Write a fragment: `to('device', 'reader-3')` is `#/device/reader-3`. */
export function to(page: PageName, id = '', query: Record<string, string> = {}): string {
  if (page === 'hall') return '#/'
  const asked = new URLSearchParams(query).toString()
  return `#/${page}${id ? `/${encodeURIComponent(id)}` : ''}${asked ? `?${asked}` : ''}`
}

function safe(id: string): string {
  try {
    return decodeURIComponent(id)
  } catch {
    return id
  }
}

class Route {
  at = $state.raw<Place>(typeof location === 'undefined' ? HALL : placeOf(location.hash))

  /** A page for who has no login yet: it needs no hall, and no link to it. */
  get alone(): boolean {
    return this.at.page === 'first' || this.at.page === 'password'
  }

  /** Follow the address; called once. */
  follow(): void {
    addEventListener('hashchange', () => {
      // A place within the page that is open leaves the page as it is.
      if (location.hash && !location.hash.startsWith('#/')) return
      this.at = placeOf(location.hash)
      scrollTo(0, 0)
    })
  }

  go(page: PageName, id = '', query: Record<string, string> = {}): void {
    location.hash = to(page, id, query)
  }
}

export const route = new Route()
