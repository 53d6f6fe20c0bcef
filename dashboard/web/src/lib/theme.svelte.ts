/** Dark or light: the address, then what was chosen before, then the system. */
export type Theme = 'dark' | 'light'

export function readTheme(wish: string | null): Theme | null {
  return wish === 'dark' || wish === 'light' ? wish : null
}

class Themes {
  /** What is shown now; rises with each change so that a chart can take its colours anew. */
  shown = $state<Theme>('dark')

  set(theme: Theme | null): void {
    if (theme) document.documentElement.dataset.theme = theme
    this.shown = theme ?? (matchMedia('(prefers-color-scheme: light)').matches ? 'light' : 'dark')
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
