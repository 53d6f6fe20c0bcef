/** Which numbers of a reading kind have a history, and their unit; as in `sensors/readings.py`. */
export interface Field {
  kind: string
  field: string
  unit: string
}

const FIELDS: Record<string, readonly (readonly [string, string])[]> = {
  staffing: [['staffed_pct', '%']],
  queue: [['length', 'people'], ['wait_s', 's'], ['head_wait_s', 's']],
  people_count: [['occupancy', 'people'], ['in_delta', 'people'], ['out_delta', 'people'], ['in_total', 'people'], ['out_total', 'people'], ['dwell_avg_s', 's']],
  crowd: [['count', 'people']],
  environment: [
    ['temperature_c', '°C'], ['humidity_pct', '%'], ['co2_ppm', 'ppm'], ['pm25_ugm3', 'µg/m³'], ['noise_dba', 'dB(A)'],
  ],
  equipment: [['power_w', 'W'], ['consumable_pct', '%'], ['energy_kwh', 'kWh']],
  battery: [['pct', '%']],
  presence: [['present', '']],
  fire: [['alarm', '']],
  contact: [['open', '']],
  availability: [['online', '']],
}

export function fieldsOf(kinds: readonly string[]): Field[] {
  return kinds.flatMap((kind) => (FIELDS[kind] ?? []).map(([field, unit]) => ({ kind, field, unit })))
}

/** What a thing has of its own: a window how it is staffed, a zone what is counted and measured in it. */
const OF_PLACE: Record<'queue' | 'window' | 'zone', readonly string[]> = {
  queue: ['queue'],
  window: ['staffing', 'presence'],
  zone: ['people_count', 'crowd', 'environment'],
}

/** The figures of a place whose devices report these kinds. */
export function fieldsOfPlace(sort: 'queue' | 'window' | 'zone', kinds: ReadonlySet<string>): Field[] {
  return fieldsOf(OF_PLACE[sort].filter((kind) => kind === 'staffing' || kinds.has(kind)))
}
