/** Logins, tokens and the audit, as an admin keeps them; and one's own login. */
import { post, request } from './api'

export const ROLES = ['viewer', 'staff', 'maintainer', 'coordinator', 'manager', 'admin'] as const
/** As `dashboard/server/rights.py` has them. */
export const RIGHTS = ['see', 'names', 'answer', 'window', 'report', 'ticket', 'plan', 'device', 'audit', 'users'] as const

export interface User {
  user: string
  role: string
  person: string | null
  disabled: boolean
  created: number
  /** False for one that comes in by a link only. */
  password: boolean
  /** Until when the link works by which the password is chosen; null where none is open. */
  link_until: number | null
}

export interface Token {
  id: string
  name: string
  role: string
  created: number
  created_by: string
  expires: number | null
  used: number | null
  revoked: number | null
}

/** One line: who ('' is nobody known) did what about what, from where, and how it ended. */
export interface Audited {
  id: number
  at: number
  who: string
  address: string
  what: string
  about: string
  outcome: string
}

export async function users(): Promise<User[]> {
  return ((await request('users')) as { items: User[] }).items
}

/** Returns the one-time link by which the password is chosen, '' where it was given ('' is none). */
export async function addUser(user: string, password: string, role: string, person: string): Promise<string> {
  const body = { user, role, person: person || null, ...(password && { password }) }
  return ((await post('users', body)) as { link?: string }).link ?? ''
}

export async function changeUser(user: string, change: { role?: string; disabled?: boolean }): Promise<void> {
  await post(`users/${encodeURIComponent(user)}`, change)
}

/** The old password opens nothing any more; returns the link by which another is chosen. */
export async function resetPassword(user: string): Promise<string> {
  return ((await post(`users/${encodeURIComponent(user)}/link`, {})) as { link: string }).link
}

export async function logOut(user: string): Promise<void> {
  await post(`users/${encodeURIComponent(user)}/logout`, {})
}

export async function choosePassword(token: string, user: string, password: string): Promise<void> {
  await post('password', { token, user, password })
}

export async function renewPassword(old: string, password: string): Promise<void> {
  await post('me/password', { old, new: password })
}

export async function leaveAll(): Promise<void> {
  await post('logout/everywhere', {})
}

export async function tokens(): Promise<Token[]> {
  return ((await request('tokens')) as { items: Token[] }).items
}

/** Returns the token itself, which nobody is told again. */
export async function addToken(name: string, role: string, days: number | null): Promise<string> {
  return ((await post('tokens', { name, role, days })) as { secret: string }).secret
}

export async function revokeToken(id: string): Promise<void> {
  await post(`tokens/${encodeURIComponent(id)}/revoke`, {})
}

export const SORTS = ['write', 'look', 'refused'] as const

/** Which lines; '' and null are all of them. */
export interface Narrow {
  who: string
  about: string
  sort: string
  since: number | null
  until: number | null
}

export async function audit(narrow: Narrow, before: string | null): Promise<{ items: Audited[]; next: string | null }> {
  const asked = Object.entries({ ...narrow, before }).filter(([, value]) => value !== '' && value !== null)
  const params = new URLSearchParams([['limit', '50'], ...asked.map(([key, value]) => [key, String(value)])])
  return (await request(`audit?${params}`)) as { items: Audited[]; next: string | null }
}

export async function beFirst(token: string, user: string, password: string): Promise<void> {
  await post('first', { token, user, password })
}
