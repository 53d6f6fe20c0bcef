/** The hall as the server last told it: one table per entity type, replaced only when a message touched it. */
import { complete, isKnown, type Entities, type EntityType, type Hall } from './entities'
import type { Delta, Snapshot } from './wire'

class Table<T extends { id: string }> {
  list = $state.raw<T[]>([])
  #rows = new Map<string, T>()

  /** The entity of that id, or undefined; reading it follows the table's changes. */
  get(id: string | null | undefined): T | undefined {
    return this.list.length && id ? this.#rows.get(id) : undefined
  }

  put(entity: T): void {
    this.#rows.set(entity.id, entity)
  }

  remove(id: string): void {
    this.#rows.delete(id)
  }

  clear(): void {
    this.#rows.clear()
  }

  publish(): void {
    this.list = [...this.#rows.values()]
  }
}

type Tables = { [K in EntityType]: Table<Entities[K]> }

class Store {
  /** True once a snapshot has come. */
  ready = $state(false)
  user = $state<string | null>(null)
  csrf = $state<string | null>(null)
  role = $state<string | null>(null)
  #may = $state.raw<ReadonlySet<string>>(new Set())
  /** Rises with each snapshot, so that what was fetched beside the link is fetched again. */
  epoch = $state(0)
  readonly tables: Tables = {
    hall: new Table(), zone: new Table(), window: new Table(), service: new Table(), person: new Table(),
    device: new Table(), alarm: new Table(), run: new Table(), plan: new Table(), ticket: new Table(),
    event: new Table(),
  }

  get hall(): Hall | undefined {
    return this.tables.hall.list[0]
  }

  get zone(): string {
    return this.hall?.timezone ?? 'UTC'
  }

  /** Whether this right (`names`) or action (`pause_window`) is one's own. */
  may(word: string): boolean {
    return this.#may.has(word)
  }

  /** Whether its button is shown: who is not logged in is asked to be, who may not do it is not offered it. */
  offers(word: string): boolean {
    return this.user === null || this.may(word)
  }

  snapshot(message: Snapshot): void {
    const tables = Object.values(this.tables)
    for (const table of tables) table.clear()
    for (const entity of Object.values(message.entities)) {
      if (isKnown(entity.type)) this.#put(complete(entity))
    }
    for (const table of tables) table.publish()
    this.user = message.user
    this.csrf = message.csrf
    this.role = message.role
    this.#may = new Set([...message.rights, ...message.actions])
    this.epoch += 1
    this.ready = true
  }

  delta(message: Delta): void {
    const touched = new Set<EntityType>()
    for (const entity of Object.values(message.set)) {
      if (!isKnown(entity.type)) continue
      this.#put(complete(entity))
      touched.add(entity.type)
    }
    for (const key of message.gone ?? []) {
      const cut = key.indexOf('/')
      const type = key.slice(0, cut)
      if (!isKnown(type)) continue
      this.tables[type].remove(key.slice(cut + 1))
      touched.add(type)
    }
    for (const type of touched) this.tables[type].publish()
  }

  #put(entity: Entities[EntityType]): void {
    const table = this.tables[entity.type as EntityType] as Table<Entities[EntityType]>
    table.put(entity)
  }
}

export const store = new Store()
export const tables = store.tables
