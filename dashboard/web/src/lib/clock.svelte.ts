/** The server's clock, as far as the page can know it: the last `now` heard, plus what has passed since, at the hall's rate. */
class Clock {
  /** Now on the server's clock (ms); moves once a second. */
  now = $state(0)
  /** Seconds of this page's own clock since the last message. */
  silence = $state(0)
  /** The server's `now` of the last message. */
  last = $state(0)
  #anchor = 0
  #heard = 0
  #rate = 1

  /** A message came: its `now` and the rate of the hall's clock (1 unless it is a demo). */
  heard(now: number, rate: number): void {
    this.#anchor = this.last = now
    this.#heard = performance.now()
    this.#rate = rate
    if (Math.abs(now - this.now) > 500 * rate) this.tick()
  }

  tick(): void {
    if (!this.#heard) return
    const passed = performance.now() - this.#heard
    this.now = Math.round(this.#anchor + passed * this.#rate)
    this.silence = Math.floor(passed / 1000)
  }

  start(): void {
    setInterval(() => this.tick(), 500)
  }
}

export const clock = new Clock()
