import { dueTo } from './judge.ts'
import type { Tab } from './device.ts'
import { factsOf } from './documents.ts'
import type { Record } from './record.ts'

/** A device that has read its feed up to a position; without a cursor: at the end, when nothing is under way. */
export interface Arrival {
  tab: Tab
  position: number
  cursor: Uint8Array | undefined
}

/** What decides on the device itself, before the server knows, whether it keeps somebody's replica. */
const ownFacts = ['follow', 'declined', 'block']

/** Compares what a device's database holds of others with what the model says it may and must hold [V7][F1][F4]. */
export async function checkHoldings(record: Record, { tab, position, cursor }: Arrival, wrong: string[]): Promise<void> {
  const { kith, device, user } = tab
  if (!kith) return
  const { db, documents } = kith.internals.store
  const meta = new Map((await db.meta.toArray()).map(({ key, value }) => [key, value]))
  // The frame may still wait to be stored behind something else.
  if (cursor && !sameBytes(cursor, meta.get('cursor'))) return
  const replicas = new Map((await db.replicas.toArray()).map(row => [row.owner, row]))
  const facts = factsOf({ roster: documents.roster.doc, profile: documents.profile.doc })
  const stored = record.at(position)?.accounts.get(user)?.facts ?? new Map()
  const lost = (meta.get('lost') ?? []) as string[]
  const owners = new Set([...record.now.accounts.keys(), ...replicas.keys()])
  for (const owner of owners) {
    if (owner === user) continue
    const replica = replicas.get(owner)
    const levels = cursor ? (replica?.levels ?? []) : [...(replica?.levels ?? []), ...(replica?.hidden ?? [])]
    const held = new Map(
      levels.flatMap(([level, fields]) => Object.entries(fields).map(([name, value]) => [`${level} ${name}`, value])),
    )
    const due = dueTo(record, position, owner, user)
    const where = `${device.name} at ${position}${cursor ? '' : ', the end,'}`
    for (const [name, value] of held) {
      if (due.fields.get(name) !== value) wrong.push(`${where} holds ${name} of ${owner}, which it may not see [V7]`)
    }
    if (held.size > 0 && !due.isDue && !replica?.isFetched) {
      wrong.push(`${where} holds ${owner}, whom it neither follows nor has fetched [V7]`)
    }
    const isLevel = [...ownFacts.map(fact => `${fact} ${owner}`), 'autoSync'].every(
      name => facts.get(name) === stored.get(name),
    )
    if (!due.isDue || !isLevel || (cursor && lost.includes(owner))) continue
    for (const name of due.fields.keys()) {
      if (!held.has(name)) wrong.push(`${where} lacks ${name} of ${owner}, which is due to it [F1]`)
    }
  }
}

function sameBytes(a: Uint8Array, b: unknown): boolean {
  return b instanceof Uint8Array && Buffer.from(a).equals(b)
}
