/**
 * The sound of an alarm that nobody has acknowledged. A browser lets no page sound before somebody has touched it:
 * until then the state is `blocked`, which is shown, for who trusts in a sound that cannot come is worse off than who
 * knows that there is none.
 */
export type SoundState = 'on' | 'off' | 'blocked'

const KEPT = 'sound'

class Sound {
  state = $state<SoundState>('blocked')
  #context: AudioContext | null = null

  start(): void {
    if (this.#kept() === 'off') {
      this.state = 'off'
      return
    }
    this.state = 'blocked'
    this.#context ??= new AudioContext()
    this.#context.onstatechange = () => this.#see()
    // A machine that may sound is told so at once; one that may not answers by staying suspended.
    void this.#context.resume().then(() => this.#see(), () => undefined)
    this.#see()
  }

  /** By a tap or a key, which is what the browser waits for. */
  touched(): void {
    if (this.state === 'blocked') void this.#context?.resume().then(() => this.#see(), () => undefined)
  }

  flip(): void {
    if (this.state === 'blocked') {
      this.touched()
      return
    }
    this.#keep(this.state === 'on' ? 'off' : 'on')
    this.state = 'off'
    if (this.#kept() === 'on') this.start()
  }

  /** Two tones, the second higher; danger to life sounds thrice. */
  ring(life: boolean): void {
    const context = this.#context
    if (!context || this.state !== 'on') return
    for (let beat = 0; beat < (life ? 3 : 1); beat++) {
      tone(context, 660, beat * 0.5)
      tone(context, 880, beat * 0.5 + 0.18)
    }
  }

  #see(): void {
    if (this.state !== 'off') this.state = this.#context?.state === 'running' ? 'on' : 'blocked'
  }

  #kept(): string {
    try {
      return localStorage.getItem(KEPT) ?? 'on'
    } catch {
      return 'on'
    }
  }

  #keep(state: 'on' | 'off'): void {
    try {
      localStorage.setItem(KEPT, state)
    } catch {
      // A browser that keeps nothing still changes its sound.
    }
  }
}

function tone(context: AudioContext, hertz: number, after: number): void {
  const at = context.currentTime + after
  const [source, volume] = [context.createOscillator(), context.createGain()]
  source.frequency.value = hertz
  volume.gain.setValueAtTime(0, at)
  volume.gain.linearRampToValueAtTime(0.25, at + 0.02)
  volume.gain.linearRampToValueAtTime(0, at + 0.16)
  source.connect(volume).connect(context.destination)
  source.start(at)
  source.stop(at + 0.18)
}

export const sound = new Sound()
