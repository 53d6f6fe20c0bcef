import { mount } from 'svelte'
import App from './App.svelte'
import './app.css'
import { chooseLang, language } from './lib/i18n.svelte'
import { start } from './lib/live.svelte'
import { route } from './lib/route.svelte'
import { readTheme, themes } from './lib/theme.svelte'

const query = new URLSearchParams(location.search)

function kept(name: string): string | null {
  try {
    return localStorage.getItem(name)
  } catch {
    return null
  }
}

await language.set(chooseLang(query.get('lang'), kept('lang'), navigator.languages))
themes.set(readTheme(query.get('theme')) ?? readTheme(kept('theme')))
route.follow()
mount(App, { target: document.getElementById('app') as HTMLElement })
start()
