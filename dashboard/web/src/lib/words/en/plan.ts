import type { plan as zh } from '../zh/plan'

/** What is said once something on the plan is opened, and the legend. */
export const plan: Record<keyof typeof zh, string> = {
  'plan.waiting': '{name}: {n} waiting',
  'plan.blank': 'The site file draws no plan yet: give zones an outline, windows and devices their place (at), then load it anew',
  'plan.cover': 'Cover',
  'plan.more': 'Details',
  'pause.cover_login': 'Log in to choose who covers.',
  'pause.cover_none': 'Nobody has a shift today who could cover.',
  'legend.title': 'Legend',
  'legend.warns': 'Warns',
  'legend.counts': 'People',
  'legend.runs': 'Equipment',
  'legend.plain': 'no colour = normal',
}
