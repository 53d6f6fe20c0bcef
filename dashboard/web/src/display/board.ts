/** What the public display is sent, as in `dashboard/server/public.py`: nothing of it names a person or a device. */
export interface Text {
  zh: string
  en: string
}

export interface Counter {
  number: number
  name: Text
  services: Text[]
  state: string
  until: number | null
}

export interface Line {
  name: Text
  length: number | null
  wait_s: number | null
  windows: number[] | null
}

export interface Takeover {
  hazard: string
  name: Text
  drill: boolean
  since: number
  text: Text | null
}

export interface Board {
  name: Text
  timezone: string
  open: boolean
  changes_at: number | null
  windows: Counter[]
  queues: Line[]
  notices: Text[]
  plan: Takeover | null
  heard: boolean
  demo: boolean
  rate: number
}

export interface Picture {
  t: 'snapshot'
  seq: number
  now: number
  build: string
  board: Board
}
