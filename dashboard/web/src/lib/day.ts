/** A day of the calendar in the hall's zone, as a range of instants (ms since the epoch). */

/** How far a zone's clock is ahead of UTC at an instant. */
function ahead(at: number, zone: string): number {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: zone, hourCycle: 'h23', year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit', second: '2-digit',
  })
  const part = Object.fromEntries(format.formatToParts(at).map(({ type, value }) => [type, Number(value)])) as Record<string, number>
  return Date.UTC(part.year!, part.month! - 1, part.day, part.hour, part.minute, part.second) - at
}

function startOf(midnight: number, zone: string): number {
  // The first guess may be on the other side of a change of the clock; the second is not.
  return midnight - ahead(midnight - ahead(midnight, zone), zone)
}

/** From when to before when a day ("2026-11-24") lasts. */
export function rangeOf(day: string, zone: string): { since: number; until: number } {
  const midnight = Date.parse(`${day}T00:00:00Z`)
  return { since: startOf(midnight, zone), until: startOf(midnight + 86_400_000, zone) }
}
