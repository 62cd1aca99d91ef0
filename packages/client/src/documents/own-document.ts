import {
  applyChanges,
  type FlatMaps,
  flatMapsOf,
  type KeyChange,
  KithError,
  profileRoot,
  rosterRoots,
} from '@kith/shared'
import * as Y from 'yjs'
import type { DocumentName } from './name.ts'
import { overlay } from './overlay.ts'

const rootsByDocument = { roster: rosterRoots, profile: [profileRoot] } as const

/** A key of a root map that an update changed. */
export interface ChangedKey {
  root: string
  key: string
}

/**
 * One of the user's own documents in memory, with the refused changes laid over it. All tabs of the device write with the same
 * client id. This is safe because every write first applies the writes of the other tabs, inside one IndexedDB transaction.
 */
export class OwnDocument {
  readonly name: DocumentName
  readonly doc: Y.Doc
  readonly clientId: number
  #refused: readonly KeyChange[] = []
  readonly #maps: FlatMaps
  #view: FlatMaps
  #changed: ChangedKey[] = []
  #update: Uint8Array | undefined

  constructor(name: DocumentName, clientId: number) {
    this.name = name
    this.clientId = clientId
    this.doc = new Y.Doc({ gc: true })
    this.doc.clientID = clientId
    for (const root of rootsByDocument[name]) this.doc.getMap(root)
    this.doc.on('update', (update: Uint8Array) => {
      this.#update = update
    })
    this.doc.on('afterTransaction', (transaction: Y.Transaction) => this.#noteChanged(transaction))
    this.#maps = flatMapsOf(this.doc)
    this.#view = this.#maps
  }

  /** The document as the app sees it: with the refused changes applied. */
  get view(): FlatMaps {
    return this.#view
  }

  /** The document without the refused changes, as the server is to have it. */
  get standing(): FlatMaps {
    return this.#maps
  }

  get refused(): readonly KeyChange[] {
    return this.#refused
  }

  /** Lays these refused changes over the document, instead of the earlier ones. */
  setRefused(changes: readonly KeyChange[]): void {
    if (changes.length !== this.#refused.length) {
      for (const { root, key } of this.#refused) this.#changed.push({ root, key })
    }
    this.#refused = changes
    this.#view = overlay(this.#maps, changes)
  }

  /** The names of the document's root maps. */
  get roots(): readonly string[] {
    return rootsByDocument[this.name]
  }

  /** Makes the changes as this device. Returns the update, or `undefined` if they change nothing [R3]. */
  write(changes: readonly KeyChange[], clientId: number = this.clientId): Uint8Array | undefined {
    this.#update = undefined
    this.doc.clientID = clientId
    try {
      applyChanges(this.doc, changes)
    } finally {
      this.doc.clientID = this.clientId
    }
    return this.#update
  }

  /** Applies an update in Yjs' `updateV1` encoding: of another tab, another device, or an old one of this device. */
  take(update: Uint8Array): void {
    this.#apply(() => Y.applyUpdate(this.doc, update))
  }

  /** Applies a whole state. Throws a KithError when the bytes are invalid. */
  takeAll(state: Uint8Array): void {
    try {
      Y.decodeUpdate(state)
      this.take(state)
    } catch (cause) {
      throw new KithError('unavailable', 'The server sent a document that cannot be read', { cause })
    }
    if (this.hasPending) throw new KithError('unavailable', 'The server sent a document with gaps')
  }

  takeSnapshot(snapshot: Uint8Array): void {
    this.#apply(() => Y.applyUpdateV2(this.doc, snapshot))
  }

  /** Returns the keys that changed since the last call. */
  changedKeys(): ChangedKey[] {
    const changed = this.#changed
    this.#changed = []
    return changed
  }

  /** The clock of this device's client id: how many structs carry it. */
  get ownClock(): number {
    return Y.getState(this.doc.store, this.clientId)
  }

  /** Whether an update was applied whose predecessors are missing. */
  get hasPending(): boolean {
    return this.doc.store.pendingStructs !== null || this.doc.store.pendingDs !== null
  }

  /**
   * Drops structs that wait for predecessors. The peer that has the predecessors also has these structs, and sends both. If
   * they were kept, this device would send them to others.
   */
  dropPending(): void {
    this.doc.store.pendingStructs = null
    this.doc.store.pendingDs = null
  }

  /** Yjs takes a new client id when it reads a struct of its own. Here, that is a struct of another tab, or an old one. */
  #apply(read: () => void): void {
    this.doc.clientID = 0
    try {
      read()
    } finally {
      this.doc.clientID = this.clientId
    }
  }

  #noteChanged(transaction: Y.Transaction): void {
    const changed: ReadonlyMap<unknown, ReadonlySet<string | null>> = transaction.changed
    for (const root of rootsByDocument[this.name]) {
      for (const key of changed.get(this.doc.getMap(root)) ?? []) {
        if (key !== null) this.#changed.push({ root, key })
      }
    }
  }
}
