/** What a person points at: the alarm under the pointer, and the thing chosen on the plan. */
export type Chosen = { type: 'window' | 'device' | 'zone'; id: string }

class Spotlight {
  alarm = $state<string | null>(null)
  chosen = $state.raw<Chosen | null>(null)

  isChosen(type: Chosen['type'], id: string): boolean {
    return this.chosen?.type === type && this.chosen.id === id
  }
}

export const spotlight = new Spotlight()
