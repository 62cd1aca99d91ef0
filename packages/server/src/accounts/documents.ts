import type { Clock } from '../clock.ts'
import type { DocumentName } from '../store/keys.ts'
import type { Store } from '../store/store.ts'
import { StoredDocument } from '../store/stored-document.ts'

/** A Y.Doc takes about this many times its encoded size in memory (1.4 MB of roster: 18 MB of heap). */
const heapPerByte = 13
const minHeapBytes = 16 * 1024

interface Cached {
  document: StoredDocument
  usedAtMs: number
  heapBytes: number
}

/**
 * Writers' documents in memory, the least recently used dropped first. Without it one edit of a 10,000-contact roster
 * would cost 170 ms of event loop; with it an idle device costs no document.
 */
export class Documents {
  #store: Store
  #clock: Clock
  #maxHeapBytes: number
  #idleMs: number
  #cached = new Map<string, Cached>()
  #heapBytes = 0

  constructor(options: { store: Store; clock: Clock; maxHeapBytes?: number; idleMs?: number }) {
    this.#store = options.store
    this.#clock = options.clock
    this.#maxHeapBytes = options.maxHeapBytes ?? 256 * 1024 * 1024
    this.#idleMs = options.idleMs ?? 30_000
  }

  /** Only one caller at a time may load a user's documents: the user's account. */
  async load(user: string, name: DocumentName): Promise<StoredDocument> {
    const key = keyOf(user, name)
    const cached = this.#cached.get(key)
    if (cached) this.#forget(key)
    const document = cached?.document ?? new StoredDocument(name, await this.#store.document(user, name))
    const heapBytes = Math.max(minHeapBytes, document.storedBytes * heapPerByte)
    this.#cached.set(key, { document, usedAtMs: this.#clock.now(), heapBytes })
    this.#heapBytes += heapBytes
    return document
  }

  /** The memory no longer says what the disk says. */
  discard(user: string): void {
    for (const name of ['roster', 'profile'] as const) {
      this.#cached.get(keyOf(user, name))?.document.destroy()
      this.#forget(keyOf(user, name))
    }
  }

  /** Drops what nobody used for a while, and the oldest of what is too much. Not while an account works. */
  sweep(isBusy: (user: string) => boolean): void {
    const idleSince = this.#clock.now() - this.#idleMs
    for (const [key, { usedAtMs, document }] of this.#cached) {
      if (usedAtMs > idleSince && this.#heapBytes <= this.#maxHeapBytes) break
      if (isBusy(key.slice(key.indexOf('\u0000') + 1))) continue
      document.destroy()
      this.#forget(key)
    }
  }

  #forget(key: string): void {
    const cached = this.#cached.get(key)
    if (!cached) return
    this.#cached.delete(key)
    this.#heapBytes -= cached.heapBytes
  }
}

function keyOf(user: string, name: DocumentName): string {
  return `${name}\u0000${user}`
}
