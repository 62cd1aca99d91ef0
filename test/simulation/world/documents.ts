import * as Y from 'yjs'
import type { Facts } from '../model/edits.ts'

/** The content of one Yjs update: the ids that it adds and the ids that it deletes. */
export interface UpdateIds {
  added: readonly Added[]
  deleted: readonly Span[]
}

export interface Span {
  client: number
  clock: number
  length: number
}

/** An addition with its place: a device whose database was restored reuses ids that no other device received. */
interface Added extends Span {
  origin: Y.ID | null
  /** Known if there is no origin. */
  key: string | null
}

/** A user's two documents. */
export interface Documents {
  roster: Y.Doc
  profile: Y.Doc
}

export function idsOf(update: Uint8Array): UpdateIds {
  const { structs, ds } = Y.decodeUpdate(update)
  // A part of a range of deletions may arrive before the rest.
  const deleted = [...ds.clients].flatMap(([client, ranges]) =>
    ranges.flatMap(({ clock, len }) =>
      Array.from({ length: len }, (_, index) => ({ client, clock: clock + index, length: 1 })),
    ),
  )
  const added = structs.map(struct => {
    const { origin = null, parentSub = null } = struct as Partial<Y.Item>
    return { client: struct.id.client, clock: struct.id.clock, length: struct.length, origin, key: parentSub }
  })
  return { added, deleted }
}

/** Whether a document contains an update, including its deletions, which a state vector does not show. */
export function includes(doc: Y.Doc, { added, deleted }: UpdateIds): boolean {
  return added.every(span => isAdded(doc, span)) && deleted.every(span => isDeleted(doc, span))
}

/** Whether a document contains a part of an update. Larger updates arrive in pieces, removals first. */
export function includesSome(doc: Y.Doc, { added, deleted }: UpdateIds): boolean {
  return added.some(span => isAdded(doc, span)) || deleted.some(span => isDeleted(doc, span))
}

function isAdded(doc: Y.Doc, { client, clock, length, origin, key }: Added): boolean {
  if (Y.getState(doc.store, client) < clock + length) return false
  const struct = Y.getItem(doc.store, Y.createID(client, clock))
  const before = struct.id.clock < clock ? Y.createID(client, clock - 1) : struct.origin
  return Y.compareIDs(before, origin) && (key === null || key === struct.parentSub)
}

function isDeleted(doc: Y.Doc, { client, clock, length }: Span): boolean {
  if (Y.getState(doc.store, client) < clock + length) return false
  const structs = doc.store.clients.get(client) ?? []
  return structs.every(
    ({ id, length: size, deleted }) => deleted || id.clock + size <= clock || id.clock >= clock + length,
  )
}

const audiences: Readonly<Record<string, string>> = { contactsOnly: 'contacts', nobody: 'nobody' }

/** The content of a user's documents, as facts of the model. */
export function factsOf({ roster, profile }: Documents): Facts {
  return factsOfMaps(mapsOf(roster), mapsOf(profile))
}

interface Maps {
  entries(root: string): Iterable<[string, unknown]>
}

function mapsOf(doc: Y.Doc): Maps {
  return { entries: root => doc.getMap(root).entries() }
}

export function factsOfMaps(roster: Maps, profile: Maps): Facts {
  const keysOf = (root: string): string[] => [...roster.entries(root)].map(([key]) => key)
  const facts = new Map<string, unknown>()
  for (const [root, name] of [
    ['contacts', 'contact'],
    ['subscriptions', 'follow'],
    ['declined', 'declined'],
    ['labels', 'label'],
  ] as const) {
    for (const [user, value] of roster.entries(root)) facts.set(`${name} ${user}`, value)
  }
  for (const key of keysOf('grants')) facts.set(`grant ${key.replace('/', ' ')}`, true)
  for (const key of keysOf('confirmed')) facts.set(`confirmed ${key.replace('/', ' ')}`, true)
  for (const key of keysOf('blocks')) facts.set(`block ${afterSlash(key)}`, true)
  for (const key of keysOf('privacy').sort((a, b) => (afterSlash(a) < afterSlash(b) ? -1 : 1))) {
    const audience = audiences[afterSlash(key)]
    if (audience !== undefined)
      facts.set('audience', audience) // `nobody`, the narrower, comes last.
    else facts.set('hidden', true)
  }
  const autoSync = new Map(roster.entries('settings')).get('autoSync')
  if (autoSync !== undefined) facts.set('autoSync', autoSync)
  // The highest of one field's writers counts.
  for (const [key, value] of [...profile.entries('fields')].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const [level, , field] = key.split('/')
    facts.set(`field ${level} ${field}`, value)
  }
  return facts
}

function afterSlash(key: string): string {
  return key.slice(key.indexOf('/') + 1)
}
