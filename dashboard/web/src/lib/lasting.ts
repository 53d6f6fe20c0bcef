/** Whether the view that asked for something still stands when the answer comes; one that is gone reads nothing more. */
import { onDestroy } from 'svelte'

export function lasting(): () => boolean {
  let here = true
  onDestroy(() => (here = false))
  return () => here
}
