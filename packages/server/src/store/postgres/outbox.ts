import { type EventName, firstEvent, type Outbox } from '../../relations/outbox.ts'
import { decodeEvent, type EventRow } from './codec.ts'
import type { Database, Statement } from './database.ts'

const nextOf: Statement = {
  name: 'kith-event-next',
  text: `select * from event where line = $1 and not is_dead and (position, index) > ($2, $3)
    order by position, index limit 1`,
}

const byName: Statement = {
  name: 'kith-event',
  text: 'select * from event where position = $1 and index = $2',
}

const waiting: Statement = {
  name: 'kith-events-waiting',
  text: `select * from event where not is_dead and (position, index) > ($1, $2) order by position, index limit $3`,
}

const dead: Statement = {
  name: 'kith-events-dead',
  text: `select * from event where is_dead and (position, index) > ($1, $2) order by position, index limit $3`,
}

const counts: Statement = {
  name: 'kith-events-count',
  text: 'select count(*)::int as all, count(*) filter (where is_dead)::int as dead from event',
}

/** Times are from the database, so all nodes use one clock. */
const claim: Statement = {
  name: 'kith-event-claim',
  text: `update delivery set holder = $1, held_until = clock_timestamp() + $2 * interval '1 ms'
    where holder = $1 or held_until is null or held_until < clock_timestamp() returning 1 as held`,
}

const release: Statement = {
  name: 'kith-event-release',
  text: 'update delivery set holder = null, held_until = null where holder = $1 returning 1 as held',
}

/** The outbox that several nodes share. */
export function postgresOutbox(database: Database): Outbox {
  const after = ({ position, index }: EventName = firstEvent): number[] => [position, index]
  const read = async (statement: Statement, values: unknown[]): Promise<ReturnType<typeof decodeEvent>[]> =>
    (await database.rows<EventRow>({ ...statement, values })).map(decodeEvent)
  return {
    next: async (line, name) => (await read(nextOf, [line, ...after(name)]))[0],
    waiting: (name, most) => read(waiting, [...after(name), most]),
    find: async ({ position, index }) => (await read(byName, [position, index]))[0],
    dead: (name, most) => read(dead, [...after(name), most]),
    async count() {
      const [row] = await database.rows<{ all: number; dead: number }>({ ...counts, values: [] })
      return row ?? { all: 0, dead: 0 }
    },
    claim: async (holder, forMs) => (await database.rows({ ...claim, values: [holder, forMs] })).length > 0,
    async release(holder) {
      await database.rows({ ...release, values: [holder] })
    },
  }
}
