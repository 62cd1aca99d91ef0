import {
  founderOf,
  generationOf,
  isFounder,
  type KeyChange,
  mostRetired,
  parseProfileKey,
  profileRoot,
  type Retired,
  retiredOf,
  sameValue,
} from '@kith/shared'
import * as Y from 'yjs'
import { keyName } from '../documents/lost.ts'
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
  /** The founder of the server's document, if this device's founder knew everything that it copied; otherwise 0. */
  readonly #knownRival: number
  #newFields: ReadonlySet<string> | undefined

  private constructor(own: OwnDocument, server: OwnDocument, founder: number, had: Had) {
    this.#own = own
    this.#server = server
    this.#founder = founder
    this.#retired = retiredOf(own.doc)
    this.#isAll = this.#retired.size > 0 && this.#retired.size < mostRetired
    this.#isAllHad = this.#isAll && [...this.#retired].every(([client, clock]) => (had.ends.get(client) ?? 0) >= clock)
    const theirs = retiredOf(server.doc)
    const isKnown = ([client, clock]: [number, number]): boolean =>
      isFounder(client) || clock <= (this.#retired.get(client) ?? 0)
    const isRivalKnown = theirs.size > 0 && theirs.size < mostRetired && [...theirs].every(isKnown)
    this.#knownRival = isRivalKnown ? founderOf(server.doc.store.clients.keys()) : 0
  }

  /**
   * Returns `undefined` if the server has not lost this device's generation, or may not have: a later generation whose list of
   * clients is full may have forgotten this founder.
   */
  static of(own: OwnDocument, server: OwnDocument, had: Had): LostGeneration | undefined {
    const [founder, theirs] = [own, server].map(({ doc }) => founderOf(doc.store.clients.keys())) as [number, number]
    const mayBeForgotten = !had.isAll && generationOf(theirs) > generationOf(founder)
    if (founder === 0 || had.ends.has(founder) || mayBeForgotten) return undefined
    return new LostGeneration(own, server, founder, had)
  }

  /**
   * Whether an entry of this device is only the founder's copy of an entry that was changed or removed since. Blocks and privacy
   * settings are none: the private side wins. If the server removed an entry that the founder knew, it may have been removed
   * before the founder's copy was set. Then only a grant counts as removed.
   */
  isOutdatedCopy(root: string, key: string, { client }: Original): boolean {
    if (client !== this.#founder || mayComeBack.has(root)) return false
    const theirs = this.#server.doc.getMap(root)._map.get(key)
    return (
      this.#isAllHad ||
      (theirs !== undefined && (this.#isNews(theirs.id) || (theirs.deleted && root === 'grants'))) ||
      (root === profileRoot && this.#isFieldSetSince(key))
    )
  }

  /** Removals of the server's entries that the founder knew, and that this device's generation has removed. */
  removals(): KeyChange[] {
    const refused = new Set(this.#own.refused.map(keyName))
    return this.#entriesOf(this.#server).flatMap(({ root, key, id, deleted }): KeyChange[] => {
      const isRemoved = !deleted && this.#wasKnown(id) && this.#own.standing.get(root, key) === undefined
      return isRemoved && !refused.has(keyName({ root, key })) ? [{ root, key, value: undefined }] : []
    })
  }

  /** Changes of a merge of both documents, in which the founder's entries win over all entries of the server. */
  corrections(): KeyChange[] {
    const theirs = this.#entriesOf(this.#own).flatMap(({ root, key, id, deleted }): KeyChange[] => {
      const isOutdated = deleted ? this.#wasSetSince(root, key) : this.isOutdatedCopy(root, key, id)
      return isOutdated ? [{ root, key, value: this.#server.standing.get(root, key) }] : []
    })
    return [...theirs, ...this.#overRival(), ...this.removals()]
  }

  /** The rival's copies are older than this device's entries, but in the merge the higher founder wins. */
  #overRival(): KeyChange[] {
    if (this.#knownRival === 0) return []
    return this.#entriesOf(this.#server).flatMap(({ root, key, id, deleted }): KeyChange[] => {
      if (deleted || id.client !== this.#knownRival || !this.#own.doc.getMap(root)._map.has(key)) return []
      const value = this.#own.standing.get(root, key)
      return sameValue(value, this.#server.standing.get(root, key)) ? [] : [{ root, key, value }]
    })
  }

  /** Each device sets a field under a key of its own, so the server may have a newer value under another key. */
  #isFieldSetSince(key: string): boolean {
    this.#newFields ??= new Set(
      [...this.#server.doc.getMap(profileRoot)._map].flatMap(([other, { id, deleted }]) =>
        deleted || !this.#isNews(id) ? [] : [fieldOf(other)],
      ),
    )
    return this.#newFields.has(fieldOf(key))
  }

  /** Whether the server has a value that this device never saw, so that the device's removal was not of this value [R6]. */
  #wasSetSince(root: string, key: string): boolean {
    const theirs = this.#server.doc.getMap(root)._map.get(key)
    if (!theirs || theirs.deleted || root === 'grants') return false
    return this.#isNews(theirs.id) && theirs.id.clock >= Y.getState(this.#own.doc.store, theirs.id.client)
  }

  /** Without blocks and privacy settings. */
  #entriesOf(document: OwnDocument): { root: string; key: string; id: Y.ID; deleted: boolean }[] {
    const roots = document.roots.filter(root => !mayComeBack.has(root))
    return roots.flatMap(root =>
      [...document.doc.getMap(root)._map].map(([key, { id, deleted }]) => ({ root, key, id, deleted })),
    )
  }

  #wasKnown({ client, clock }: Original): boolean {
    return (client !== 0 && client === this.#knownRival) || clock < (this.#retired.get(client) ?? 0)
  }

  /** If `retired` is full, an unknown client may be an earlier one, unless it is a founder. */
  #isNews(id: Original): boolean {
    return !this.#wasKnown(id) && (this.#isAll || isFounder(id.client))
  }
}

/** The level and the name of a field. */
function fieldOf(key: string): string {
  const parsed = parseProfileKey(key)
  return parsed ? `${parsed.level} ${parsed.name}` : key
}
