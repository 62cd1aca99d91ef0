import { founderOf, profileRoot, retiredRoot, rosterRoots } from '@kith/shared'
import * as Y from 'yjs'
import type { DocumentUpdate } from '../relations/changes.ts'
import type { DocumentName } from '../relations/records.ts'
import { bytesPerStruct } from './document-weight.ts'

/** A smaller log is not worth folding. */
const minLogBytes = 32 * 1024

/**
 * One applied run of updates, in one or several transactions: the update for the owner's devices, the update for the disk, and
 * the changed keys.
 */
export interface Applied {
  /** V1, in the server's own encoding. Content that was erased within the run is not in it [V5]. */
  relayed: Uint8Array
  stored: DocumentUpdate
  /** Root → keys that changed. */
  keys: ReadonlyMap<string, ReadonlySet<string>>
}

/** The result of a transaction: V1 for the devices, V2 for the disk. */
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
 * A document in the form that a writer needs: a garbage-collected Y.Doc, and how much of it is on disk. It is ahead of the disk
 * while a commit is in progress. If the commit fails, the document must be discarded.
 */
export class StoredDocument {
  readonly doc: Y.Doc
  #snapshotBytes: number
  #logBytes: number
  /** The size of the updates that were applied and are not in the log yet. */
  #runBytes = 0
  /** For a roster near its limit: an upper bound of its content bytes. */
  contentBytesAtMost: number | undefined
  /** Below this weight, it is not checked again whether the document must be refounded (due.ts). */
  looksAgainAt = 0

  /** `parts`: snapshot and updates, as stored. */
  constructor(name: DocumentName, parts: readonly Uint8Array[]) {
    this.doc = new Y.Doc({ gc: true })
    for (const root of [...(name === 'roster' ? rosterRoots : [profileRoot]), retiredRoot]) this.doc.getMap(root)
    this.doc.transact(() => {
      for (const part of parts) Y.applyUpdateV2(this.doc, part)
    })
    const [snapshotBytes, logBytes] = sizesOf(parts)
    this.#snapshotBytes = snapshotBytes
    this.#logBytes = logBytes
  }

  /** An upper bound of the bytes on disk, including those of the current run. */
  get storedBytes(): number {
    return this.#snapshotBytes + this.#logBytes + this.#runBytes
  }

  /** The weight of its parts on disk (document-weight.ts), an upper bound. */
  get weight(): number {
    return Math.max(this.storedBytes, bytesPerStruct * this.structs)
  }

  /** The number of structs in memory, including those of removed entries. */
  get structs(): number {
    let count = 0
    for (const structs of this.doc.store.clients.values()) count += structs.length
    return count
  }

  /** The client that founded its generation; 0 for the first generation. */
  get founder(): number {
    return founderOf(this.doc.store.clients.keys())
  }

  /** Applies the updates that `run` admits as one transaction. Returns `undefined` if they change nothing. */
  apply(run: (apply: (update: Uint8Array) => void) => void): Applied | undefined {
    const transactions = this.begin()
    transactions.apply(run)
    return transactions.end()
  }

  /** Begins a run of several transactions. Between them, the document must not be used for anything else. */
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

  /**
   * Content that was overwritten between two transactions is not in the result [V5]. The result has all removals, not only the
   * new ones.
   */
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

  /** Folds the log into a snapshot once the log outgrows the snapshot, so a document costs at most twice its size. */
  #toStore(update: Uint8Array): DocumentUpdate {
    this.#logBytes += update.length
    if (!isOutgrown(this.#snapshotBytes, this.#logBytes)) return { update }
    const snapshot = Y.encodeStateAsUpdateV2(this.doc)
    this.#snapshotBytes = snapshot.length
    this.#logBytes = 0
    // The document weighs less now. The next check must not wait for the weight that it had before.
    this.looksAgainAt = Math.min(this.looksAgainAt, this.weight + this.weight / 8)
    return { update, snapshot }
  }

  destroy(): void {
    this.doc.destroy()
  }
}

/** Whether the log of a document, with these parts on disk, is larger than it may be. */
export function mustBeFolded(parts: readonly Uint8Array[]): boolean {
  return isOutgrown(...sizesOf(parts))
}

function sizesOf([snapshot, ...log]: readonly Uint8Array[]): [snapshotBytes: number, logBytes: number] {
  return [snapshot?.length ?? 0, log.reduce((sum, part) => sum + part.length, 0)]
}

function isOutgrown(snapshotBytes: number, logBytes: number): boolean {
  return logBytes > Math.max(minLogBytes, snapshotBytes)
}
