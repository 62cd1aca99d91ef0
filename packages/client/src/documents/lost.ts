import { type KeyChange, parseProfileKey, profileRoot, sameValue, utf8Length, valueBytes } from '@kith/shared'
import * as Y from 'yjs'
import type { DocumentName } from './name.ts'
import { OwnDocument } from './own-document.ts'
import { renamed } from './renamed.ts'

/**
 * Merges the server's state with this device's document. Entries that the server has seen and removed are absent, and so are
 * entries that this device knows to be removed. Content that the server never saw, or lost, is present [D6].
 *
 * `sent`: the clock up to which the server may have this device's own structs. `otherId`: a client id for the later ones, in
 * case the server has different structs under the same ids, from a copy of this device's database.
 */
export function mergedDocument(server: OwnDocument, own: OwnDocument, sent: number, otherId: number): OwnDocument {
  const merged = new OwnDocument(own.name, own.clientId)
  merged.take(Y.encodeStateAsUpdate(server.doc))
  const update = Y.encodeStateAsUpdate(own.doc)
  const isCopied = Y.getState(server.doc.store, own.clientId) > sent
  merged.take(isCopied ? renamed(update, { client: own.clientId, from: sent, to: otherId }) : update)
  return merged
}

/** Returns the changes that turn `document` into `to`, except for the keys that are left out. */
export function differences(
  document: OwnDocument,
  to: OwnDocument,
  isLeftOut: (change: KeyChange) => boolean,
): KeyChange[] {
  const [from, wanted] = [document.standing, to.standing]
  const changes: KeyChange[] = []
  const add = (change: KeyChange): void => {
    if (!isLeftOut(change)) changes.push(change)
  }
  for (const root of document.roots) {
    for (const [key] of from.entries(root)) if (!wanted.has(root, key)) add({ root, key, value: undefined })
    for (const [key, value] of wanted.entries(root))
      if (!sameValue(from.get(root, key), value)) add({ root, key, value })
  }
  return changes
}

/**
 * Groups changes that must be accepted or refused together: in a roster, each change alone; in a profile, all changes of one
 * field at one level if some of them remove values that others replace.
 */
export function unitsOf(document: DocumentName, changes: readonly KeyChange[]): KeyChange[][] {
  if (document === 'roster') return changes.map(change => [change])
  const units = new Map<string, KeyChange[]>()
  for (const change of changes) {
    const field = fieldOf(change)
    const unit = units.get(field)
    if (unit) unit.push(change)
    else units.set(field, [change])
  }
  const isReplacing = (unit: readonly KeyChange[]): boolean => unit.some(({ value }) => value === undefined)
  return [...units.values()].flatMap(unit => (isReplacing(unit) ? [unit] : unit.map(change => [change])))
}

function fieldOf({ root, key }: KeyChange): string {
  const parsed = root === profileRoot ? parseProfileKey(key) : undefined
  return parsed ? `${parsed.level}/${parsed.name}` : key
}

/** The maximum number of changes, and of their bytes, in one entry that is made again. */
const changesPerEntry = 500
const bytesPerEntry = 64 * 1024

export function inEntries(units: readonly KeyChange[][]): KeyChange[][] {
  const entries: KeyChange[][] = []
  let bytes = 0
  for (const unit of units) {
    const more = unit.reduce((sum, change) => sum + bytesOf(change), 0)
    const last = entries.at(-1)
    if (last && last.length + unit.length <= changesPerEntry && bytes + more <= bytesPerEntry) {
      last.push(...unit)
      bytes += more
    } else {
      entries.push([...unit])
      bytes = more
    }
  }
  return entries
}

function bytesOf({ root, key, value }: KeyChange): number {
  return root.length + utf8Length(key) + (value === undefined ? 0 : valueBytes(value))
}

export function keyName({ root, key }: { root: string; key: string }): string {
  return `${root} ${key}`
}

export function addressOf(name: string): { root: string; key: string } {
  const end = name.indexOf(' ')
  return { root: name.slice(0, end), key: name.slice(end + 1) }
}
