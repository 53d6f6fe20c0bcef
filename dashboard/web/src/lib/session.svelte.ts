/** Who acts: the open dialog, actions that wait for a login, and what went wrong, in words. */
import { act, login, logout, Problem, type Action } from './api'
import { fill, named, word } from './i18n.svelte'
import { store, tables } from './store.svelte'

export type Dialog =
  | { name: 'login' }
  | { name: 'start' }
  | { name: 'fault'; window?: string; device?: string; zone?: string }
  | { name: 'pause'; window: string; cover?: boolean }
  | { name: 'approve'; device: string }
  | { name: 'stand_down'; run: string }
  | { name: 'close_alarm'; alarm: string }

class Session {
  dialog = $state.raw<Dialog | null>(null)
  /** The last refusal, until it is closed. */
  trouble = $state.raw<unknown>(null)
  /** Set by main.ts: opens the live link anew, whose snapshot tells who one is. */
  reconnect: () => void = () => undefined
  #waiting: { action: Action; done: (ok: boolean) => void } | null = null

  /** Do it, asking for a login first where one is needed. True when the server took it. */
  async do(action: Action): Promise<boolean> {
    this.trouble = null
    if (store.user === null) return this.#afterLogin(action)
    try {
      await act(action)
      return true
    } catch (error) {
      if (error instanceof Problem && error.status === 401) return this.#afterLogin(action)
      this.trouble = error
      return false
    }
  }

  /** Log in, take the new snapshot's token, and do what waited. Throws `Problem` when refused. */
  async login(user: string, password: string): Promise<void> {
    await login(user, password)
    const before = store.epoch
    this.reconnect()
    await until(() => store.epoch > before && store.user !== null)
    const waiting = this.#waiting
    this.#waiting = null
    this.dialog = null
    if (waiting) waiting.done(await this.do(waiting.action))
  }

  async logout(): Promise<void> {
    try {
      await logout()
    } catch (error) {
      this.trouble = error
    }
    this.reconnect()
  }

  /** Close the dialog; what waited for a login is dropped. */
  close(): void {
    this.dialog = null
    this.#waiting?.done(false)
    this.#waiting = null
  }

  #afterLogin(action: Action): Promise<boolean> {
    this.#waiting?.done(false)
    this.dialog = { name: 'login' }
    return new Promise((done) => {
      this.#waiting = { action, done }
    })
  }
}

/** A refusal in words; a code without words is shown with the server's title. */
export function describe(error: unknown): string {
  if (!(error instanceof Problem)) return String(error)
  const words = word('problem', error.code)
  if (words === error.code) return `${error.code}: ${error.message}`
  const plan = tables.plan.get(error.params.plan)
  return fill(words, plan ? { ...error.params, plan: named(plan.name) } : error.params)
}

async function until(true_: () => boolean): Promise<void> {
  for (let tries = 0; tries < 100 && !true_(); tries++) await new Promise((next) => setTimeout(next, 50))
}

export const session = new Session()
