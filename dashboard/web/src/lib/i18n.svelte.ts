/** The page's words. The server sends codes; every sentence is here, in Chinese and in English. */
import type { Name } from './wire'
import type { zh } from './words/zh'

export type Key = keyof typeof zh
export type Lang = 'zh' | 'en'
export type Params = Record<string, string | number>

type Words = Partial<Record<Key, string>>

/** A language is fetched when it is first shown: the words of the first view, and right after it the rest. */
const LOADERS: Record<Lang, [() => Promise<Words>, () => Promise<Words>]> = {
  zh: [async () => (await import('./words/zh.first')).first, async () => (await import('./words/zh.later')).later],
  en: [async () => (await import('./words/en.first')).first, async () => (await import('./words/en.later')).later],
}

/** Choice: address, then what was chosen before, then the browser; Chinese where none of them says otherwise. */
export function chooseLang(query: string | null, stored: string | null, browser: readonly string[]): Lang {
  for (const wish of [query, stored]) {
    if (wish?.toLowerCase().startsWith('zh')) return 'zh'
    if (wish?.toLowerCase().startsWith('en')) return 'en'
  }
  return browser.some((tag) => tag.startsWith('zh')) || !browser.some((tag) => tag.startsWith('en')) ? 'zh' : 'en'
}

/** Put parameters in: `{n}`, and for English numbers `{n|1 person|%n people}`. A dot before nothing goes. */
export function fill(template: string, params: Params = {}): string {
  const filled = template.replace(/\{(\w+)(?:\|([^|}]*)\|([^}]*))?\}/g, (_, name: string, one?: string, many?: string) => {
    const value = params[name] ?? ''
    if (one === undefined || many === undefined) return String(value)
    return Number(value) === 1 ? one : many.replace(`%${name}`, String(value))
  })
  return filled.replace(/ · $/, '')
}

class Language {
  code = $state<Lang>('zh')
  words = $state.raw<Words | null>(null)
  private whole = false

  get tag(): string {
    return this.code === 'zh' ? 'zh-CN' : 'en-GB'
  }

  async set(code: Lang): Promise<void> {
    const [first, later] = LOADERS[code]
    // Once the parts below the first view stand, a new language needs all words at once.
    this.words = this.whole ? { ...(await first()), ...(await later()) } : await first()
    this.code = code
    document.documentElement.lang = code === 'zh' ? 'zh-CN' : 'en'
  }

  /** Fetch what the first view did not need; who shows such words waits for it. */
  async rest(): Promise<void> {
    if (this.whole) return
    const code = this.code
    const words = await LOADERS[code][1]()
    if (code !== this.code) return this.rest()
    this.whole = true
    this.words = { ...this.words, ...words }
  }

  /** A person's choice, kept for the next visit. */
  async choose(code: Lang): Promise<void> {
    await this.set(code)
    try {
      localStorage.setItem('lang', code)
    } catch {
      // A browser that keeps nothing still shows the page.
    }
  }
}

export const language = new Language()

/** The sentence of a key in the page's language. */
export function t(key: Key, params?: Params): string {
  return fill(language.words?.[key] ?? key, params)
}

/** The word for a code of the server; an unknown code is shown as it came. */
export function word(group: string, code: string): string {
  const words: Record<string, string> | null = language.words
  const known = words?.[`${group}.${code}`]
  if (known != null) return known
  // A code may be followed by what it is about.
  const [first = '', ...rest] = code.split(' ')
  return [words?.[`${group}.${first}`] ?? first, ...rest].join(' ')
}

/** A name in the page's language. */
export function named(name: Name): string {
  return name[language.code] || name.zh
}
