/** Logins, tokens and the audit, as an admin keeps them. */
import { post, request } from './api'

export const ROLES = ['viewer', 'staff', 'maintainer', 'coordinator', 'manager', 'admin'] as const
export type Role = (typeof ROLES)[number]

export interface User {
  user: string
  role: string
  person: string | null
  disabled: boolean
  created: number
  /** False for one that comes in by a link only. */
  password: boolean
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

export async function addUser(user: string, password: string, role: string, person: string): Promise<void> {
  await post('users', { user, password, role, person: person || null })
}

export async function changeUser(user: string, change: { role?: string; disabled?: boolean; password?: string }): Promise<void> {
  await post(`users/${encodeURIComponent(user)}`, change)
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

export async function audit(who: string, before: string | null): Promise<{ items: Audited[]; next: string | null }> {
  const params = new URLSearchParams({ limit: '50', ...(who && { who }), ...(before && { before }) })
  return (await request(`audit?${params}`)) as { items: Audited[]; next: string | null }
}

export async function beFirst(token: string, user: string, password: string): Promise<void> {
  await post('first', { token, user, password })
}
