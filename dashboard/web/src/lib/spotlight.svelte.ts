/** What a person points at: the alarm under the pointer, and the thing of the plan that is looked at or chosen. */
export type Chosen = { type: 'window' | 'device' | 'zone'; id: string }

const LINGER_MS = 300

class Spotlight {
  alarm = $state<string | null>(null)
  /** Chosen by a tap or Enter; stays until it is closed. */
  chosen = $state.raw<Chosen | null>(null)
  /** Under the pointer or the keyboard's focus. */
  near = $state.raw<Chosen | null>(null)
  /** The thing that the Tab key comes to; arrow keys go on from there. */
  stop = $state('')
  #timer: ReturnType<typeof setTimeout> | undefined

  get shown(): Chosen | null {
    return this.near ?? this.chosen
  }

  isChosen(type: Chosen['type'], id: string): boolean {
    return this.shown?.type === type && this.shown.id === id
  }

  approach(what: Chosen, after = LINGER_MS): void {
    this.stay()
    this.#timer = setTimeout(() => (this.near = what), after)
  }

  leave(): void {
    this.stay()
    this.#timer = setTimeout(() => (this.near = null), LINGER_MS)
  }

  /** The pointer is on what tells of it: neither comes nor goes. */
  stay(): void {
    clearTimeout(this.#timer)
  }

  choose(what: Chosen | null): void {
    this.stay()
    this.near = null
    this.chosen = what
    if (what) this.stop = `${what.type}/${what.id}`
  }
}

export const spotlight = new Spotlight()
