/** Which part of a plan an event of its run is about, and what a person has written beside it. */
import type { Event, Run } from './entities'
import type { Name } from './wire'

const STEPS = ['run.step_done', 'run.step_overdue']
const ROLES = ['run.role_taken', 'run.role_vacant', 'run.holder_unreachable']

/** The log keeps the id of a step or role; a reader knows them by name. Empty where the event has no part. */
export function partOf(run: Pick<Run, 'steps' | 'roles'> | null | undefined, event: Event): { part: Name | null; note: string } {
  const [id = '', ...note] = event.detail.split(' ')
  if (STEPS.includes(event.what)) return { part: run?.steps.find((one) => one.id === id)?.text ?? null, note: note.join(' ') }
  if (ROLES.includes(event.what)) return { part: run?.roles.find((one) => one.id === id)?.name ?? null, note: '' }
  // Before the note stands why it ended, a code.
  if (event.what === 'run.ended') return { part: null, note: note.join(' ') }
  return { part: null, note: event.detail }
}
