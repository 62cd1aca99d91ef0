import type { Entry } from './entry.ts'

/** Owners whose pairs changed in one commit, and how many of them have been taken from this list. */
interface Unread {
  owners: readonly string[]
  position: number
  next: number
}

/** The methods that the queue calls on its feed when an owner's turn has come. */
export interface QueuePort {
  entry(owner: string): Entry
  recheck(owner: string, position: number): void
}

/**
 * The work that a feed still has to read and hand over. The queue holds names, never frames. So a slow device costs bounded
 * memory, and gets the newest state of each owner when it is ready [F2].
 */
export class FeedQueue {
  readonly #entries: Set<Entry> = new Set()
  /** Owners with news for the device, found when the feed opened. They have no entry yet. */
  readonly #found: Set<string> = new Set()
  #unread: Unread[] = []

  get isEmpty(): boolean {
    return this.#entries.size === 0 && this.#unread.length === 0 && this.#found.size === 0
  }

  add(entry: Entry): void {
    this.#entries.add(entry)
  }

  delete(entry: Entry): void {
    this.#entries.delete(entry)
  }

  addFound(owner: string): void {
    this.#found.add(owner)
  }

  /** Takes the owner out of the found owners. Returns whether it was there and had no entry yet. */
  takeFound(owner: string): boolean {
    return this.#found.delete(owner)
  }

  addMany(owners: readonly string[], position: number): void {
    this.#unread.push({ owners, position, next: 0 })
  }

  /** The next entries, up to `count`; they stay in the queue until they are handed over. */
  next(count: number, port: QueuePort): Entry[] {
    if (this.#entries.size < count) this.#takeUnread(count, port)
    return firstOf(this.#entries, count)
  }

  clear(): void {
    this.#entries.clear()
    this.#found.clear()
    this.#unread = []
  }

  #takeUnread(count: number, port: QueuePort): void {
    for (const owner of firstOf(this.#found, count)) {
      this.#found.delete(owner)
      this.#entries.add(port.entry(owner))
    }
    const [first] = this.#unread
    if (!first) return
    const some = first.owners.slice(first.next, first.next + count)
    first.next += some.length
    if (first.next >= first.owners.length) this.#unread.shift()
    for (const owner of some) port.recheck(owner, first.position)
  }
}

function firstOf<T>(all: Iterable<T>, most: number): T[] {
  const some: T[] = []
  for (const one of all) {
    if (some.length === most) break
    some.push(one)
  }
  return some
}
