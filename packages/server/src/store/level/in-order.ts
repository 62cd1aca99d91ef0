import { type KeyRange, ownerOf } from './keys.ts'
import type { PagedReads } from './paged-reads.ts'

type Entry = [key: string, bytes: Uint8Array]

/** Reads a range once, owner by owner, for a caller that requests the owners in the order of the keys. */
export class InOrder {
  readonly #pages: AsyncIterator<Entry[]>
  #page: readonly Entry[] = []
  #at = 0
  #owner: string | undefined
  #found: readonly Entry[] = []

  constructor(disk: PagedReads, range: KeyRange) {
    this.#pages = disk.pages(range)[Symbol.asyncIterator]()
  }

  /** Returns the entries of this owner. The previous owner can be requested again. Throws for an owner before that. */
  async of(owner: string): Promise<readonly Entry[]> {
    if (owner === this.#owner) return this.#found
    if (this.#owner !== undefined && inKeyOrder(owner, this.#owner) < 0) throw new Error(`${owner} is over`)
    const found: Entry[] = []
    // Most owners have few entries, so a wait for each entry would take most of the time.
    while (this.#at < this.#page.length || (await this.#turnPage())) {
      const entry = this.#page[this.#at] as Entry
      const of = ownerOf(entry[0])
      if (of !== owner && inKeyOrder(of, owner) > 0) break
      if (of === owner) found.push(entry)
      this.#at++
    }
    this.#owner = owner
    this.#found = found
    return found
  }

  /** Returns the owner of the entries that follow those which were requested, `undefined` at the end of the range. */
  async nextOwner(): Promise<string | undefined> {
    if (this.#at === this.#page.length && !(await this.#turnPage())) return undefined
    return ownerOf((this.#page[this.#at] as Entry)[0])
  }

  async #turnPage(): Promise<boolean> {
    const { done, value } = await this.#pages.next()
    this.#page = done ? [] : value
    this.#at = 0
    return this.#page.length > 0
  }
}

/**
 * Compares ids as the keys do: by their bytes in UTF-8, which is the order of their code points. Strings compare by UTF-16
 * units, in which surrogates (U+D800 to U+DFFF) come before U+E000.
 */
export function inKeyOrder(a: string, b: string): number {
  const most = Math.min(a.length, b.length)
  let at = 0
  while (at < most && a.charCodeAt(at) === b.charCodeAt(at)) at++
  if (at === most) return a.length - b.length
  return inCodePointOrder(a.charCodeAt(at)) - inCodePointOrder(b.charCodeAt(at))
}

/** Moves surrogates after all other units. */
const inCodePointOrder = (unit: number): number => (unit >= 0xd800 && unit < 0xe000 ? unit + 0x10000 : unit)
