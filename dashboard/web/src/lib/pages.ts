/** The pages beside the hall, each fetched when it is first opened. The hall itself is the first view. */
import type { Component } from 'svelte'
import type { PageName } from './route.svelte'

export const PAGES: Partial<Record<PageName, () => Promise<{ default: Component }>>> = {
  audit: () => import('../views/Audit.svelte'),
  alarm: () => import('../views/Alarm.svelte'),
  device: () => import('../views/Device.svelte'),
  devices: () => import('../views/Devices.svelte'),
  first: () => import('../views/Choose.svelte'),
  history: () => import('../views/History.svelte'),
  me: () => import('../views/Me.svelte'),
  password: () => import('../views/Choose.svelte'),
  run: () => import('../views/Run.svelte'),
  quarantine: () => import('../views/Messages.svelte'),
  users: () => import('../views/Users.svelte'),
}
