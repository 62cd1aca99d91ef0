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
  /** The least recently used first. */
  #cached = new Map<string, Cached>()
  #heapBytes = 0
  /** Users whose accounts have work: their documents may be ahead of the disk, so they stay. */
  #held = new Set<string>()

  constructor(options: { store: Store; clock: Clock; maxHeapBytes?: number; idleMs?: number }) {
    this.#store = options.store
    this.#clock = options.clock
    this.#maxHeapBytes = options.maxHeapBytes ?? 256 * 1024 * 1024
    this.#idleMs = options.idleMs ?? 30_000
  }

  /** Number of documents in memory. */
  get size(): number {
    return this.#cached.size
  }

  /** Keeps a user's documents, once they are loaded, until {@link release}. */
  hold(user: string): void {
    this.#held.add(user)
  }

  /** The user's account has no work left. */
  release(user: string): void {
    this.#held.delete(user)
    for (const name of ['roster', 'profile'] as const) this.#measure(keyOf(user, name))
    this.#evict()
  }

  /** Only one caller at a time may load a user's documents: the user's account, which holds them. */
  async load(user: string, name: DocumentName): Promise<StoredDocument> {
    const key = keyOf(user, name)
    const cached = this.#cached.get(key)
    if (cached) this.#forget(key)
    const document = cached?.document ?? new StoredDocument(name, await this.#store.document(user, name))
    this.#cached.set(key, { document, usedAtMs: this.#clock.now(), heapBytes: 0 })
    this.#measure(key)
    this.#evict()
    return document
  }

  /** Whatever is in memory may say something else than the disk: all is read again. */
  forgetAll(): void {
    this.#cached.clear()
    this.#heapBytes = 0
  }

  /** The memory no longer says what the disk says. */
  discard(user: string): void {
    for (const name of ['roster', 'profile'] as const) {
      this.#cached.get(keyOf(user, name))?.document.destroy()
      this.#forget(keyOf(user, name))
    }
  }

  /** Drops documents that were not used for a while. */
  sweep(): void {
    this.#evict(this.#clock.now() - this.#idleMs)
  }

  /** Drops the least recently used documents until the rest is within the bound, and all that were used before a time. */
  #evict(idleSinceMs = Number.NEGATIVE_INFINITY): void {
    for (const [key, { usedAtMs, document }] of this.#cached) {
      if (usedAtMs > idleSinceMs && this.#heapBytes <= this.#maxHeapBytes) break
      if (this.#held.has(key.slice(key.indexOf('\u0000') + 1))) continue
      document.destroy()
      this.#forget(key)
    }
  }

  /** A document grows as it is edited. */
  #measure(key: string): void {
    const cached = this.#cached.get(key)
    if (!cached) return
    this.#heapBytes -= cached.heapBytes
    cached.heapBytes = Math.max(minHeapBytes, cached.document.storedBytes * heapPerByte)
    this.#heapBytes += cached.heapBytes
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
