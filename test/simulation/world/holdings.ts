import { coreOf, type MetaValues } from '../../support/client-internals.ts'
import type { Tab } from './device.ts'
import { factsOf } from './documents.ts'
import { dueTo } from './judge.ts'
import type { Record } from './record.ts'

/** A check of a device's data. */
export interface Look {
  tab: Tab
  /**
   * The device has read its feed to somewhere between `from` and this position. Without it, the present state on disk applies.
   */
  position?: number
  from?: number
  /** The cursor that the device must have stored by then. */
  cursor?: Uint8Array
  /** Nothing is under way any more. */
  isEnd?: boolean
}

/** The facts by which the device itself decides whether it keeps a user's replica, before the server knows. */
const ownFacts = ['follow', 'declined', 'block']

type Fields = ReadonlyMap<string, unknown>

/** Compares a device's replicas with what the model says it may and must hold [V7][F1][F4]. */
export async function checkHoldings(record: Record, look: Look, wrong: string[]): Promise<void> {
  const { kith, device, user } = look.tab
  if (!kith) return
  const { db, documents } = coreOf(kith).store
  const meta = new Map((await db.meta.toArray()).map(({ key, value }) => [key, value]))
  // The frame may still wait behind other frames to be stored.
  if (look.cursor && !sameBytes(look.cursor, meta.get('cursor'))) return
  const replicas = new Map((await db.replicas.toArray()).map(row => [row.owner, row]))
  const people = new Map((await db.people.toArray()).map(row => [row.id, row]))
  const facts = factsOf({ roster: documents.roster.doc, profile: documents.profile.doc })
  const dropped = (meta.get('dropped') as MetaValues['dropped'] | undefined)?.owners
  const last = look.position ?? record.position
  // A restored backup may have set the server back to before the app began to wait.
  const from = Math.min(look.from ?? last, last)
  const positions = Array.from({ length: last - from + 1 }, (_, index) => last - index)
  const stored = record.at(last)?.accounts.get(user)?.facts ?? new Map()
  for (const owner of new Set([...record.now.accounts.keys(), ...replicas.keys()])) {
    if (owner === user) continue
    const replica = replicas.get(owner)
    const held = fieldsOf(look.isEnd ? [...(replica?.levels ?? []), ...(replica?.hidden ?? [])] : replica?.levels)
    const dues = positions.map(position => dueTo(record, position, owner, user))
    const where = `${device.name} at ${positions.join(' or ')}${look.isEnd ? ', the end,' : ''}`
    const isDue = dues.every(due => due.isDue)
    const mayKeep = dues.some(due => due.isDue) || replica?.isFetched || facts.has(`follow ${owner}`)
    // The app shows what is held. Of several levels, the highest counts.
    for (const [name, value] of Object.entries(people.get(owner)?.fields ?? {})) {
      if (![...held].some(([field, one]) => field.endsWith(` ${name}`) && one === value)) {
        wrong.push(`${where} shows ${name} of ${owner}, which it does not hold [V7]`)
      }
    }
    if (held.size > 0 && !mayKeep) wrong.push(`${where} holds ${owner}, whom it neither follows nor has fetched [V7]`)
    const isLevel = [...ownFacts.map(fact => `${fact} ${owner}`), 'autoSync'].every(
      name => facts.get(name) === stored.get(name),
    )
    const mustHold = isDue && isLevel && (look.isEnd || !dropped?.has(owner))
    if (dues.some(({ fields }) => holds(held, fields, mustHold))) continue
    const best = dues[0]?.fields ?? new Map()
    const excess = [...held].filter(([name, value]) => best.get(name) !== value).map(([name]) => name)
    const missing = [...best.keys()].filter(name => !held.has(name))
    if (excess.length > 0) wrong.push(`${where} holds ${excess.join()} of ${owner}, which it may not see [V7]`)
    else wrong.push(`${where} lacks ${missing.join()} of ${owner}, which is due to it [F1]`)
  }
}

/** Whether a device holds no other fields than these, and, with `mustHold`, all of them. */
function holds(held: Fields, fields: Fields, mustHold: boolean): boolean {
  return [...held].every(([name, value]) => fields.get(name) === value) && (!mustHold || held.size === fields.size)
}

function fieldsOf(levels: readonly [number, object][] = []): Map<string, unknown> {
  return new Map(
    levels.flatMap(([level, fields]) => Object.entries(fields).map(([name, value]) => [`${level} ${name}`, value])),
  )
}

function sameBytes(a: Uint8Array, b: unknown): boolean {
  return b instanceof Uint8Array && Buffer.from(a).equals(b)
}
