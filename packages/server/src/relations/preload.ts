import type { Change, DocumentsChange } from './changes.ts'
import type { Draft } from './draft.ts'
import { bothSides, type Lookup, type Pair, type RecordNames } from './record-store.ts'
import type { LevelName } from './records.ts'

/** If the changes name more records than this, the others are read while each change is derived, in slices. */
const mostNamed = 2_000

/**
 * Reads everything that a batch of changes will read together, as far as the changes themselves name it. It makes one call of
 * the store for each kind of record instead of several for each change, because all other changes wait for the batch. It names
 * nothing that the derivation would not read.
 */
export async function preload(draft: Draft, changes: readonly Change[]): Promise<void> {
  const wanted = new Wanted()
  for (const change of changes) wanted.add(change)
  await draft.load(wanted)
}

class Wanted implements RecordNames {
  readonly users: Set<string> = new Set()
  readonly relations: Pair[] = []
  readonly levels: LevelName[] = []
  readonly asked: Lookup[] = []
  readonly erasures: string[] = []
  #left = mostNamed

  add(change: Change): void {
    switch (change.type) {
      case 'documents':
        return this.#addDocuments(change)
      case 'pair':
        return this.#addPair(change.a, change.b)
      case 'erase':
        this.erasures.push(change.user)
        return this.#addUser(change.user)
      case 'lookup':
        this.asked.push({ viewer: change.user, id: change.owner })
        return this.#addUser(change.user)
      case 'user':
      case 'promote':
        return this.#addUser(change.user)
      case 'seen':
        for (const { user } of change.users) this.#addUser(user)
        return
      case 'undelivered':
        return this.#addPair(change.from, change.to)
      // They read nothing, or only what the derivation finds.
      case 'revoke':
      case 'events':
        return
    }
  }

  #addDocuments({ user, roster, profile }: DocumentsChange): void {
    this.#addUser(user)
    if (profile) for (const level of profile.levels.keys()) this.levels.push({ owner: user, level })
    if (!roster || 3 * roster.facts.size > this.#left) return
    for (const [other] of roster.facts) {
      if (other === user) continue
      this.#addPair(user, other)
      this.asked.push({ viewer: user, id: other })
    }
  }

  #addPair(a: string, b: string): void {
    this.#addUser(a)
    this.#addUser(b)
    this.relations.push(...bothSides(a, b))
    this.#left -= 2
  }

  #addUser(id: string): void {
    if (this.users.has(id)) return
    this.users.add(id)
    this.#left--
  }
}
