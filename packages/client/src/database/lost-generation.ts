import { founderOf, type KeyChange, mostRetired, type Retired, retiredOf } from '@kith/shared'
import type { OwnDocument } from '../documents/own-document.ts'
import { mayComeBack } from '../documents/removed-keys.ts'
import type { Had } from './had.ts'
import type { Original } from './schema.ts'

/**
 * Compares this device's document with that of a server that lost the device's generation: the server was restored from an
 * earlier backup, or a device that had not seen the refounding filled an empty server. The founder of the lost generation knew
 * each earlier client up to its clock in `retired`. So the server's entries show which of them are older than the founder's
 * copies, and which are newer.
 */
export class LostGeneration {
  readonly #own: OwnDocument
  readonly #server: OwnDocument
  readonly #founder: number
  readonly #retired: Retired
  readonly #isAll: boolean
  readonly #isAllHad: boolean

  private constructor(own: OwnDocument, server: OwnDocument, founder: number, had: Had) {
    this.#own = own
    this.#server = server
    this.#founder = founder
    this.#retired = retiredOf(own.doc)
    this.#isAll = this.#retired.size < mostRetired
    this.#isAllHad = this.#isAll && [...this.#retired].every(([client, clock]) => (had.ends.get(client) ?? 0) >= clock)
  }

  /** Returns `undefined` if the server has not lost this device's generation. */
  static of(own: OwnDocument, server: OwnDocument, had: Had): LostGeneration | undefined {
    const founder = founderOf(own.doc.store.clients.keys())
    return founder > 0 && !had.ends.has(founder) ? new LostGeneration(own, server, founder, had) : undefined
  }

  /**
   * Whether an entry of this device is only the founder's copy of an entry that was changed or removed since. Blocks and privacy
   * settings are none: the private side wins.
   */
  isOutdatedCopy(root: string, key: string, { client }: Original): boolean {
    if (client !== this.#founder || mayComeBack.has(root)) return false
    const theirs = this.#server.doc.getMap(root)._map.get(key)
    return this.#isAllHad || (theirs !== undefined && (theirs.deleted || !this.#wasKnown(theirs.id)))
  }

  /** Removals of the server's entries that the founder knew, and that this device's generation has removed. */
  removals(): KeyChange[] {
    const roots = this.#own.roots.filter(root => !mayComeBack.has(root))
    return roots.flatMap(root =>
      [...this.#server.doc.getMap(root)._map].flatMap(([key, { id, deleted }]): KeyChange[] => {
        const isRemoved = !deleted && this.#wasKnown(id) && this.#own.standing.get(root, key) === undefined
        return isRemoved ? [{ root, key, value: undefined }] : []
      }),
    )
  }

  /** Changes of a merge of both documents, in which the founder's copies win over all entries of the server. */
  corrections(): KeyChange[] {
    const copies = this.#own.roots.flatMap(root =>
      [...this.#own.doc.getMap(root)._map].flatMap(([key, { id, deleted }]): KeyChange[] => {
        if (deleted || !this.isOutdatedCopy(root, key, id)) return []
        return [{ root, key, value: this.#server.standing.get(root, key) }]
      }),
    )
    return [...copies, ...this.removals()]
  }

  /** If `retired` is full, an unknown client may be an earlier one, and counts as one. */
  #wasKnown({ client, clock }: Original): boolean {
    return clock < (this.#retired.get(client) ?? (this.#isAll ? 0 : Number.POSITIVE_INFINITY))
  }
}
