import { type EventName, firstEvent, type Outbox, type StoredEvent } from '../../relations/outbox.ts'
import { eventNameIn, type KeyRange, keys, ranges } from './keys.ts'
import type { PagedReads } from './paged-reads.ts'
import { decodeEvent } from './record-codec.ts'

/** The outbox on a Level database. Only one process has the database, so no other process delivers. */
export function levelOutbox(disk: PagedReads): Outbox {
  /** Returns events, from the keys of a range that name them. */
  async function named(range: KeyRange, most: number): Promise<StoredEvent[]> {
    const names: EventName[] = (await disk.firstKeys(range, most)).map(eventNameIn)
    const records = await disk.getMany(names.map(keys.event))
    return names.flatMap((name, index) => {
      const bytes = records[index]
      return bytes ? [{ name, event: decodeEvent(bytes) }] : []
    })
  }

  async function countIn(range: KeyRange): Promise<number> {
    let count = 0
    for await (const _ of disk.keys(range)) count++
    return count
  }

  return {
    next: async (line, after = firstEvent) => (await named(ranges.eventLine(line, after), 1))[0],

    async waiting(after = firstEvent, most) {
      const found: StoredEvent[] = []
      for await (const [key, bytes] of disk.entries(ranges.events(after))) {
        const event = decodeEvent(bytes)
        if (!event.failed && found.push({ name: eventNameIn(key), event }) === most) break
      }
      return found
    },

    async find(name) {
      const bytes = await disk.get(keys.event(name))
      return bytes && { name, event: decodeEvent(bytes) }
    },

    dead: (after = firstEvent, most) => named(ranges.eventsDead(after), most),

    async count() {
      return { all: await countIn(ranges.allEvents), dead: await countIn(ranges.eventsDead(firstEvent)) }
    },

    claim: () => Promise.resolve(true),
    release: () => Promise.resolve(),
  }
}
