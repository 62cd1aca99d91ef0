import type { Clock } from '../clock.ts'
import type { DocumentName } from '../relations/records.ts'
import type { HostedDocument } from './hosted-document.ts'
import { RemoteDocument } from './remote-document.ts'

/** A Y.Doc takes about this many times its weight in memory (1.4 MB of roster: 18 MB of heap). */
const heapPerByte = 13
const minHeapBytes = 16 * 1024

/** The version of a document when it was loaded, or after the last commit. */
export interface Version {
  at: number
}

/** A document in memory. */
export interface Loaded {
  document: HostedDocument
  version: Version
}

interface Cached extends Loaded {
  /** Another node has changed it since it was loaded. */
  isOutdated: boolean
  usedAtMs: number
  heapBytes: number
}

export interface DocumentCacheOptions {
  clock: Clock
  /** Above this bound, the least recently used documents are dropped. Default: 256 MiB. */
  maxHeapBytes?: number | undefined
  /** How long an unused document stays in memory; 30 s by default. */
  idleMs?: number | undefined
}

/** Names a document of a user. */
export function keyOf(user: string, name: DocumentName): string {
  return `${name}\u0000${user}`
}

/** Documents in memory. The least recently used are dropped first. Documents of users with work stay. */
export class DocumentCache {
  readonly #clock: Clock
  readonly #maxHeapBytes: number
  readonly #idleMs: number
  /** The least recently used first. */
  readonly #cached = new Map<string, Cached>()
  #heapBytes = 0
  /** Users whose accounts have work. Their documents may be ahead of the disk, so they stay. */
  readonly #held = new Set<string>()

  constructor({ clock, maxHeapBytes = 256 * 1024 * 1024, idleMs = 30_000 }: DocumentCacheOptions) {
    this.#clock = clock
    this.#maxHeapBytes = maxHeapBytes
    this.#idleMs = idleMs
  }

  /** Number of documents in memory. */
  get size(): number {
    return this.#cached.size
  }

  /** Keeps a user's documents, once they are loaded, until {@link release}. */
  hold(user: string): void {
    this.#held.add(user)
  }

  isHeld(user: string): boolean {
    return this.#held.has(user)
  }

  /** The user's account has no work left. */
  release(user: string): void {
    this.#held.delete(user)
    for (const name of ['roster', 'profile'] as const) this.#measure(keyOf(user, name))
    this.#evict()
  }

  get(key: string): Cached | undefined {
    return this.#cached.get(key)
  }

  keep(key: string, loaded: Loaded, isOutdated: boolean): void {
    this.#cached.set(key, { ...loaded, isOutdated, usedAtMs: this.#clock.now(), heapBytes: 0 })
    this.#measure(key)
    this.#evict()
  }

  /** Removes the entry; does not destroy the document. */
  forget(key: string): void {
    const cached = this.#cached.get(key)
    if (!cached) return
    this.#cached.delete(key)
    this.#heapBytes -= cached.heapBytes
  }

  /** Removes all entries; the merge thread drops its own documents. */
  clear(): void {
    this.#cached.clear()
    this.#heapBytes = 0
  }

  /** Drops documents that have not been used for a while. */
  sweep(): void {
    this.#evict(this.#clock.now() - this.#idleMs)
  }

  /**
   * Drops all documents last used before this time, and then the least recently used ones until the rest is within the bound.
   */
  #evict(idleSinceMs = Number.NEGATIVE_INFINITY): void {
    for (const [key, { usedAtMs, document }] of this.#cached) {
      if (usedAtMs > idleSinceMs && this.#heapBytes <= this.#maxHeapBytes) break
      if (this.#held.has(key.slice(key.indexOf('\u0000') + 1))) continue
      document.destroy()
      this.forget(key)
    }
  }

  /** Measures a document again, because a document grows as it is edited. */
  #measure(key: string): void {
    const cached = this.#cached.get(key)
    if (!cached) return
    this.#heapBytes -= cached.heapBytes
    const { document } = cached
    // The thread itself bounds the memory of the documents that it holds.
    cached.heapBytes = document instanceof RemoteDocument ? 0 : Math.max(minHeapBytes, document.weight * heapPerByte)
    this.#heapBytes += cached.heapBytes
  }
}
