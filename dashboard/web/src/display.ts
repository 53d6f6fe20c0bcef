/** The public display's page: its own feed, nothing of the staff's page. All options stand in the address. */
import { mount } from 'svelte'
import './app.css'
import App from './display/Display.svelte'
import { start } from './display/link.svelte'
import { readTheme, themes } from './lib/theme.svelte'

themes.set(readTheme(new URLSearchParams(location.search).get('theme')))
mount(App, { target: document.getElementById('app') as HTMLElement })
start()
