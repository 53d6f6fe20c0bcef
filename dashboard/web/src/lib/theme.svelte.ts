/** Dark or light: the address, then what was chosen before, then the system. */
export type Theme = 'dark' | 'light'

export function readTheme(wish: string | null): Theme | null {
  return wish === 'dark' || wish === 'light' ? wish : null
}

class Themes {
  /** What is shown now; rises with each change so that a chart can take its colours anew. */
  shown = $state<Theme>('dark')

  #own = false
  #system: MediaQueryList | undefined

  set(theme: Theme | null): void {
    this.#own = theme !== null
    if (theme) document.documentElement.dataset.theme = theme
    this.#system ??= this.#follow()
    this.shown = theme ?? (this.#system.matches ? 'light' : 'dark')
  }

  /** A machine that turns dark in the evening takes the open page with it, unless a person has chosen. */
  #follow(): MediaQueryList {
    const light = matchMedia('(prefers-color-scheme: light)')
    light.addEventListener('change', () => {
      if (!this.#own) this.shown = light.matches ? 'light' : 'dark'
    })
    return light
  }

  flip(): void {
    this.set(this.shown === 'dark' ? 'light' : 'dark')
    try {
      localStorage.setItem('theme', this.shown)
    } catch {
      // A browser that keeps nothing still changes its colours.
    }
  }
}

export const themes = new Themes()
