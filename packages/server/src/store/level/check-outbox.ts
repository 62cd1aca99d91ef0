import type { Finding } from '../../relations/check/checked-store.ts'
import { usersOf } from '../../relations/outbox.ts'
import { eventNameIn, keys, ranges } from './keys.ts'
import type { LevelDatabase } from './level-database.ts'
import { decodeEvent } from './record-codec.ts'

/**
 * Checks whether the index records of events match the events. An event without a line is never delivered, and an event that
 * concerns no user is not erased with an account.
 */
export async function checkOutbox(database: LevelDatabase): Promise<Finding[]> {
  const findings: Finding[] = []
  const expected = new Set<string>()
  for await (const [key, bytes] of database.iterator(ranges.allEvents)) {
    const name = eventNameIn(key)
    try {
      const event = decodeEvent(bytes)
      expected.add(event.failed ? keys.eventDead(name) : keys.eventLine(event.line, name))
      for (const user of usersOf(event)) expected.add(keys.eventAbout(user, name))
    } catch (error) {
      findings.push({
        user: '',
        what: `an event can't be read: ${error instanceof Error ? error.message : String(error)}`,
      })
    }
  }
  const events = ranges.allEvents
  for await (const key of database.keys(ranges.outbox)) {
    if (key > events.gt && key < events.lt) continue
    if (!expected.delete(key)) findings.push({ user: userIn(key), what: 'a record of the outbox is of no event' })
  }
  for (const key of expected) findings.push({ user: userIn(key), what: 'an event of the outbox lacks a record' })
  return findings
}

/** Returns the user that a record of the outbox names, if any. */
function userIn(key: string): string {
  const parts = key.split('\u0000')
  return parts.length === 5 ? (parts[2] as string) : ''
}
