import { type FieldValue, type FlatMaps, flatMapsOf, sameValue } from '@kith/shared'
import * as Y from 'yjs'
import { fillersFor } from './fillers.ts'

/** One key whose value has changed. */
export interface KeyChanged {
  root: string
  key: string
  before: FieldValue | undefined
  after: FieldValue | undefined
}

export interface Taken {
  changes: readonly KeyChanged[]
  /** The number of values under keys that cannot be read, since this shadow never saw their predecessors. */
  unreadable: number
  /** The number of removals of entries that this shadow never saw. */
  removals: number
}

/** A device's document, as far as its frames show it, so that the effect of an update can be described. */
export class Shadow {
  readonly #roots: readonly string[]
  #doc = new Y.Doc()

  constructor(roots: readonly string[]) {
    this.#roots = roots
  }

  get maps(): FlatMaps {
    return flatMapsOf(this.#doc)
  }

  forget(): void {
    this.#doc = new Y.Doc()
  }

  /** Applies an update. Throws for invalid bytes; the shadow then starts empty. */
  take(update: Uint8Array): Taken {
    const doc = this.#doc
    const changes: KeyChanged[] = []
    const stops = this.#roots.map(root => observe(doc, root, change => changes.push(change)))
    try {
      const { structs, ds } = Y.decodeUpdate(update)
      for (const filler of fillersFor(doc, structs)) Y.applyUpdate(doc, filler)
      Y.applyUpdate(doc, update)
      return { changes, unreadable: unreadable(doc, structs), removals: removals(doc, ds) }
    } catch (error) {
      this.forget()
      throw error
    } finally {
      for (const stop of stops) stop()
    }
  }

  /** Replaces the content with this state. Throws as `take` does. */
  replace(update: Uint8Array): Taken {
    const before = this.maps
    this.forget()
    const taken = this.take(update)
    return { ...taken, changes: this.#roots.flatMap(root => differences(root, before, this.maps)) }
  }
}

function observe(doc: Y.Doc, root: string, say: (change: KeyChanged) => void): () => void {
  const map = doc.getMap<FieldValue>(root)
  const observer = (event: Y.YMapEvent<FieldValue>): void => {
    for (const [key, { oldValue }] of event.changes.keys) {
      const after = map.get(key)
      if (!sameValue(oldValue, after)) say({ root, key, before: oldValue, after })
    }
  }
  map.observe(observer)
  return () => map.unobserve(observer)
}

function differences(root: string, before: FlatMaps, after: FlatMaps): KeyChanged[] {
  const keys = new Set([...before.entries(root), ...after.entries(root)].map(([key]) => key))
  return [...keys]
    .map(key => ({ root, key, before: before.get(root, key), after: after.get(root, key) }))
    .filter(change => !sameValue(change.before, change.after))
}

type Decoded = ReturnType<typeof Y.decodeUpdate>

function unreadable(doc: Y.Doc, structs: Decoded['structs']): number {
  const values = structs.filter(struct => struct instanceof Y.Item && !(struct.content instanceof Y.ContentDeleted))
  return values.filter(({ id }) => isGap(doc, id)).length
}

function removals(doc: Y.Doc, ds: Decoded['ds']): number {
  const ranges = [...ds.clients].flatMap(([client, some]) => some.map(({ clock }) => Y.createID(client, clock)))
  return ranges.filter(id => isGap(doc, id)).length
}

function isGap(doc: Y.Doc, id: Y.ID): boolean {
  return id.clock < Y.getState(doc.store, id.client) && Y.getItem(doc.store, id) instanceof Y.GC
}
