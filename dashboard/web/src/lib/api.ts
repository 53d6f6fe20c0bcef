/** Requests beside the live link: actions, login, history. Refusals arrive as problem details with a stable code. */
import { store } from './store.svelte'

export class Problem extends Error {
  constructor(
    readonly code: string,
    readonly status: number,
    title: string,
    /** What fills the sentence. */
    readonly params: Record<string, string> = {},
    /** More for who can act on it: the lines of a site file. */
    readonly detail = '',
  ) {
    super(title)
  }
}

export type Action = { do: string } & Record<string, unknown>

/** Addresses are relative to the page, so that it works behind a proxy's path; `?hall=` of the page goes with them. */
export function address(path: string): string {
  const found = new URL(`api/v1/${path}`, document.baseURI)
  const hall = new URLSearchParams(location.search).get('hall')
  if (hall) found.searchParams.set('hall', hall)
  return found.href
}

export async function request(path: string, init: RequestInit = {}): Promise<unknown> {
  let answer: Response
  try {
    answer = await fetch(address(path), { credentials: 'same-origin', signal: AbortSignal.timeout(10_000), ...init })
  } catch {
    throw new Problem('no_link', 0, 'the server could not be reached')
  }
  const body = await answer.text()
  const value = readJson(body)
  if (answer.ok) return value
  const told = (value ?? {}) as { code?: string; title?: string; params?: Record<string, string>; detail?: string }
  throw new Problem(told.code ?? `http_${answer.status}`, answer.status, told.title ?? answer.statusText, told.params, told.detail)
}

function readJson(body: string): unknown {
  try {
    return body ? JSON.parse(body) : null
  } catch {
    return null
  }
}

export function post(path: string, body: unknown): Promise<unknown> {
  return request(path, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', ...(store.csrf ? { 'X-CSRF-Token': store.csrf } : {}) },
    body: JSON.stringify(body),
  })
}

export async function act(action: Action): Promise<string[]> {
  const answer = (await post('actions', action)) as { refs?: string[] } | null
  return answer?.refs ?? []
}

export async function login(user: string, password: string): Promise<void> {
  await post('login', { user, password })
}

export async function logout(): Promise<void> {
  await post('logout', {})
}

/** Numbers of one field of a device; `values[i]` is null where nothing was heard. */
export interface History {
  times: number[]
  values: (number | null)[]
}

export interface HistoryQuery {
  device: string
  kind: string
  field: string
  start: number
  end: number
  every: number
}

export async function history(query: HistoryQuery): Promise<History> {
  const params = new URLSearchParams(Object.entries(query).map(([key, value]) => [key, String(value)]))
  return (await request(`history?${params}`)) as History
}

/** True when the live address itself asks for a login. */
export async function loginNeeded(): Promise<boolean> {
  try {
    await request('live')
  } catch (error) {
    return error instanceof Problem && error.status === 401
  }
  return false
}
