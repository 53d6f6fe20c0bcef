/** Which numbers of a reading kind have a history, and their unit; as in `sensors/readings.py`. */
export interface Field {
  kind: string
  field: string
  unit: string
}

const FIELDS: Record<string, readonly (readonly [string, string])[]> = {
  queue: [['length', 'people'], ['wait_s', 's'], ['head_wait_s', 's']],
  people_count: [['occupancy', 'people'], ['in_total', 'people'], ['out_total', 'people'], ['dwell_avg_s', 's']],
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

/** A bucket width (ms) that gives a few hundred points over a range. */
export function everyFor(range: number): number {
  const steps = [10_000, 30_000, 60_000, 120_000, 300_000, 600_000, 1_800_000, 3_600_000]
  return steps.find((step) => range / step <= 400) ?? 7_200_000
}
