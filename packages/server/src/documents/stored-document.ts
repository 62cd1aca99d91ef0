import { founderOf, profileRoot, retiredRoot, rosterRoots } from '@kith/shared'
import * as Y from 'yjs'
import type { DocumentUpdate } from '../relations/changes.ts'
import type { DocumentName } from '../relations/records.ts'
import { bytesPerStruct } from './document-weight.ts'

/** Below this a log is not worth folding. */
const minLogBytes = 32 * 1024

/** One applied run of updates, in one or several transactions: for the owner's devices, for the disk, and what it touched. */
export interface Applied {
  /** V1, in the server's own encoding; nothing erased within the run is in it [V5]. */
  relayed: Uint8Array
  stored: DocumentUpdate
  /** Root → keys that changed. */
  keys: ReadonlyMap<string, ReadonlySet<string>>
}

/** What a transaction brought: V1 for the devices, V2 for the disk. */
interface Transacted {
  relayed: Uint8Array
  update: Uint8Array
}

/** A run of transactions. */
interface Transactions {
  apply(run: (apply: (update: Uint8Array) => void) => void): void
  end(): Applied | undefined
}

/**
 * A document as a writer needs it: a garbage-collected Y.Doc, and how much of it lies on disk. It runs ahead of the disk
 * while a commit is under way; if that fails, it must be thrown away.
 */
export class StoredDocument {
  readonly doc: Y.Doc
  #snapshotBytes: number
  #logBytes: number
  /** Of updates that were applied and are not in the log yet. */
  #runBytes = 0
  /** Of a roster near its limit: an upper bound of what its content counts. */
  contentBytesAtMost: number | undefined
  /** Below this weight it is not looked at again whether it is to be refounded (due.ts). */
  looksAgainAt = 0

  /** `parts`: snapshot and updates, as the store has them. */
  constructor(name: DocumentName, parts: readonly Uint8Array[]) {
    this.doc = new Y.Doc({ gc: true })
    for (const root of [...(name === 'roster' ? rosterRoots : [profileRoot]), retiredRoot]) this.doc.getMap(root)
    this.doc.transact(() => {
      for (const part of parts) Y.applyUpdateV2(this.doc, part)
    })
    this.#snapshotBytes = parts[0]?.length ?? 0
    this.#logBytes = parts.slice(1).reduce((sum, part) => sum + part.length, 0)
  }

  /** An upper bound of the bytes on disk, with those of the run under way. */
  get storedBytes(): number {
    return this.#snapshotBytes + this.#logBytes + this.#runBytes
  }

  /** As the weight of its parts on disk (document-weight.ts), an upper bound. */
  get weight(): number {
    return Math.max(this.storedBytes, bytesPerStruct * this.structs)
  }

  /** The structs in memory, those of removed entries too. */
  get structs(): number {
    let count = 0
    for (const structs of this.doc.store.clients.values()) count += structs.length
    return count
  }

  /** The client that founded its generation; 0 for the first one. */
  get founder(): number {
    return founderOf(this.doc.store.clients.keys())
  }

  /** Applies the updates that `run` admits as one transaction; `undefined` when they change nothing. */
  apply(run: (apply: (update: Uint8Array) => void) => void): Applied | undefined {
    const transactions = this.begin()
    transactions.apply(run)
    return transactions.end()
  }

  /** Begins a run of several transactions, between which the document must not be used for anything else. */
  begin(): Transactions {
    const before = Y.encodeStateVector(this.doc)
    this.#runBytes = 0
    let count = 0
    let only: Transacted | undefined
    const keys = new Map<string, Set<string>>()
    return {
      apply: run => {
        const transacted = this.#transact(run, keys)
        if (!transacted) return
        count++
        only = transacted
      },
      end: () => {
        this.#runBytes = 0
        if (!only) return undefined
        const { relayed, update } = count === 1 ? only : this.#since(before)
        return { relayed, stored: this.#toStore(update), keys }
      },
    }
  }

  /** What was overwritten between two transactions is in no byte of it [V5]. It has all removals, not only the new ones. */
  #since(before: Uint8Array): Transacted {
    return { relayed: Y.encodeStateAsUpdate(this.doc, before), update: Y.encodeStateAsUpdateV2(this.doc, before) }
  }

  #transact(
    run: (apply: (update: Uint8Array) => void) => void,
    keys: Map<string, Set<string>>,
  ): Transacted | undefined {
    let relayed: Uint8Array | undefined
    let update: Uint8Array | undefined
    const onUpdate = (bytes: Uint8Array): void => {
      relayed = bytes
    }
    const onUpdateV2 = (bytes: Uint8Array): void => {
      update = bytes
    }
    const onTransaction = (transaction: Y.Transaction): void => {
      for (const [root, type] of this.doc.share) {
        const changed = transaction.changed.get(type as never)
        if (!changed) continue
        const known = keys.get(root) ?? new Set()
        keys.set(root, known)
        for (const key of changed) if (key !== null) known.add(key)
      }
    }
    this.doc.on('update', onUpdate)
    this.doc.on('updateV2', onUpdateV2)
    this.doc.on('afterTransaction', onTransaction)
    try {
      this.doc.transact(() =>
        run(bytes => {
          Y.applyUpdate(this.doc, bytes)
          this.#runBytes += bytes.length
        }),
      )
    } finally {
      this.doc.off('update', onUpdate)
      this.doc.off('updateV2', onUpdateV2)
      this.doc.off('afterTransaction', onTransaction)
    }
    if (this.doc.store.pendingStructs !== null || this.doc.store.pendingDs !== null) {
      throw new Error('an admitted update left something pending')
    }
    return relayed && update && { relayed, update }
  }

  /** Folds the log into a snapshot once it outgrows it, so that a document costs at most twice its size. */
  #toStore(update: Uint8Array): DocumentUpdate {
    this.#logBytes += update.length
    if (this.#logBytes <= Math.max(minLogBytes, this.#snapshotBytes)) return { update }
    const snapshot = Y.encodeStateAsUpdateV2(this.doc)
    this.#snapshotBytes = snapshot.length
    this.#logBytes = 0
    // It weighs less now: what would be seen at the weight before is not to be put off by that.
    this.looksAgainAt = Math.min(this.looksAgainAt, this.weight + this.weight / 8)
    return { update, snapshot }
  }

  destroy(): void {
    this.doc.destroy()
  }
}
