/** The pages beside the hall, each fetched when it is first opened. The hall itself is the first view. */
import type { Component } from 'svelte'
import type { PageName } from './route.svelte'

export const PAGES: Partial<Record<PageName, () => Promise<{ default: Component }>>> = {
  device: () => import('../views/Device.svelte'),
  devices: () => import('../views/Devices.svelte'),
  first: () => import('../views/First.svelte'),
  history: () => import('../views/History.svelte'),
  quarantine: () => import('../views/Messages.svelte'),
  users: () => import('../views/Users.svelte'),
}
