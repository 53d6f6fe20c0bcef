/** Which tour is under way, and whether one is offered: once for each browser, unless the panel is asked for it again. */
import type { User } from './tours'

const KEY = 'tour'

function kept(): boolean {
  try {
    return localStorage.getItem(KEY) !== null
  } catch {
    return false
  }
}

class Tour {
  user = $state<User | null>(null)
  step = $state(0)
  offered = $state(!kept())
  /** Somebody has asked for it: then nothing is urgent enough to stand before it. */
  asked = $state(false)
  #played = new Set<string>()

  begin(user: User): void {
    this.user = user
    this.asked = false
    this.step = 0
    this.#played.clear()
  }

  next(): void {
    this.step += 1
  }

  back(): void {
    this.step = Math.max(0, this.step - 1)
  }

  /** Whether a scenario is to be started: once in a tour, however often one goes back. */
  play(scenario: string): boolean {
    if (this.#played.has(scenario)) return false
    this.#played.add(scenario)
    return true
  }

  offer(): void {
    this.offered = this.asked = true
  }

  /** The page is gone for a moment (the wall); the tour is over, and may be offered again. */
  pause(): void {
    this.user = null
  }

  leave(): void {
    this.user = null
    this.offered = this.asked = false
    try {
      localStorage.setItem(KEY, 'seen')
    } catch {
      // A browser that keeps nothing is offered it again.
    }
  }
}

export const tour = new Tour()
