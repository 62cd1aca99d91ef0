import type { Change } from '@kith/server'
import { founderOf } from '@kith/shared'
import * as Y from 'yjs'
import { type Again, type Edit, type Facts, wrongFacts } from '../model/edits.ts'
import { changed, erased } from '../model/hands.ts'
import { type Account, type Moment, nobody, pairOf } from '../model/sight.ts'
import type { Written } from './device.ts'
import { type Documents, factsOf, idsOf, includes, includesSome, type Span, type UpdateIds } from './documents.ts'
import { fieldsOfChanges } from './facts-of-changes.ts'

/** An edit, and the data for finding out whether a document has it. */
export interface KnownEdit extends Edit {
  readonly document: 'roster' | 'profile'
  readonly ids: UpdateIds
  readonly written: Written
}

/**
 * The model's record of the engine: which edits were made, which of them are on the server's disk at each position, and which
 * facts stand there. Yjs is used only to find out whether a document has an edit. The model defines the result.
 */
export class Record {
  readonly edits = new Map<string, KnownEdit[]>()
  readonly #documents = new Map<string, Documents>()
  /** For refounded documents, by founder: the edits that they have. `parts`: the edits of which they have a part. */
  readonly #foundings = new Map<number, { end: number; edits: ReadonlySet<number>; parts: ReadonlySet<number> }>()
  readonly #moments = new Map<number, Moment>()
  /** Each state of a user's documents, in order. */
  readonly #stored = new Map<string, { position: number; roster: Uint8Array; profile: Uint8Array }[]>()
  readonly #written = new WeakSet<Change>()
  /** By the path of the backend's call: the position of the last change that such a call made. */
  readonly #lastOf = new Map<string, number>()
  /** The author of the change at each position: a user, or the backend with the path of its call. */
  readonly #authors = new Map<number, string>()
  #asked: Change[] = []
  #position = 0
  #count = 0
  /** The state on the server's disk. */
  now: Moment = { accounts: new Map(), pairs: new Set(), unconfirmed: new Map(), names: new Map() }
  /** Edits of accounts that were erased since. They must not come back [D7]. */
  #dead = new Set<number>()
  /** Edits of which a server refused some part. */
  readonly refused = new Set<number>()
  /** The position at which each user registered. */
  readonly registeredAt = new Map<string, { position: number; isAnnounced: boolean }>()
  /** Users one of whose registrations was announced. The notice may arrive after a later registration. */
  readonly wereAnnounced = new Set<string>()
  readonly #isSilent = new Set<string>()
  #incarnations = new Map<string, number>()
  readonly #welcomes = new Map<string, Uint8Array>()
  /** Whether some server has lost data that devices had given it, or claimed so. */
  mayLose = false
  readonly #wrong: (what: string) => void
  readonly #isOfEnded: (user: string) => (edit: KnownEdit) => boolean

  /** `isOfEnded`: whether an edit is of a device that has synced with an account which was erased since. */
  constructor(wrong: (what: string) => void, isOfEnded: (user: string) => (edit: KnownEdit) => boolean) {
    this.#wrong = wrong
    this.#isOfEnded = isOfEnded
    this.#moments.set(0, this.now)
  }

  /** Whether a document of a user has an edit: as it was made, or since before the document was refounded. */
  #has(documents: Documents, edit: KnownEdit): boolean {
    const doc = documents[edit.document]
    return includes(doc, edit.ids) || this.#isFoundedWith(doc, edit) === 'whole'
  }

  /**
   * Whether the founding of a document included an edit, and whether the document has the whole founding or only a part so far.
   */
  #isFoundedWith(doc: Y.Doc, { id }: KnownEdit): 'whole' | 'partly' | undefined {
    const founder = foundingOf(doc)
    const founding = this.#foundings.get(founder)
    if (founding?.parts.has(id)) return 'partly'
    if (!founding?.edits.has(id)) return undefined
    return Y.getState(doc.store, founder) < founding.end ? 'partly' : 'whole'
  }

  /** A document is refounded. It keeps the edits that it had, but not as they were made. */
  #found(user: string, name: 'roster' | 'profile', snapshot: Uint8Array): void {
    const documents = this.#documentsOf(user)
    const founded = new Y.Doc()
    Y.applyUpdateV2(founded, snapshot)
    const isOfDocument = ({ document }: KnownEdit): boolean => document === name
    const included = this.included(user, documents).filter(isOfDocument)
    const arriving = this.arriving(user, documents, included).filter(isOfDocument)
    const founder = foundingOf(founded)
    const [edits, parts] = [included, arriving].map(some => new Set(some.map(({ id }) => id))) as [
      Set<number>,
      Set<number>,
    ]
    this.#foundings.set(founder, { end: Y.getState(founded.store, founder), edits, parts })
    documents[name] = founded
  }

  /** How many edits were made. */
  get count(): number {
    return this.#count
  }

  get position(): number {
    return this.#position
  }

  /** How often an account was erased. */
  incarnationOf(user: string): number {
    return this.#incarnations.get(user) ?? 0
  }

  /** Whether an edit ended with its account. */
  isDead(edit: number): boolean {
    return this.#dead.has(edit)
  }

  /** The edit was made on a device of an erased account. */
  kill(edit: number): void {
    this.#dead.add(edit)
  }

  /** The server gave out a name for an incarnation. It must always give the same name. */
  named(user: string, incarnation: number, name: string): void {
    const key = `${incarnation} ${user}`
    const known = this.now.names.get(key)
    if (known !== undefined && known !== name) this.#wrong(`incarnation ${key} has two names [D7]`)
    if (known === undefined) this.now = { ...this.now, names: new Map(this.now.names).set(key, name) }
  }

  /** The server welcomed a device of the user to an incarnation. */
  welcomedTo(user: string, number: number, incarnation: Uint8Array): void {
    this.#welcomes.set(`${number} ${user}`, incarnation)
  }

  /** The server's name for the present incarnation, as given to the user's devices. */
  nameOf(user: string): Uint8Array | undefined {
    return this.#welcomes.get(`${this.incarnationOf(user)} ${user}`)
  }

  at(position: number): Moment | undefined {
    return this.#moments.get(position)
  }

  editsOf(user: string): readonly KnownEdit[] {
    return this.edits.get(user) ?? []
  }

  /**
   * A device made an edit; its documents have it already. `met`: the edits that its documents ever had. `origins`: the edits
   * that it repeats.
   */
  made(
    user: string,
    written: Written,
    documents: Documents,
    changes: Edit['changes'],
    met: ReadonlySet<number>,
    origins: readonly KnownEdit[] = [],
  ): KnownEdit {
    const included = this.included(user, documents)
    const seen = new Set(included.map(({ id }) => id))
    // A device that sees a repeated edit may count as having seen the originals.
    const perhaps = new Set(
      [...included, ...origins].flatMap(edit => [...(edit.again?.restates ?? []), ...(edit.perhaps ?? [])]),
    )
    // For edits that were repeated several times, the edits that the user made.
    const restates = new Set(origins.flatMap(({ id, again }) => [...(again?.restates ?? [id])]))
    for (const edit of origins) for (const id of [edit.id, ...edit.seen]) perhaps.add(id)
    // An edit that was met, but is missing from rebuilt documents, comes back with a lower rank than this one, or belongs to
    // another.
    for (const id of met) perhaps.add(id)
    const replaced = origins.flatMap(({ seen: before, again: once }) => [...(once?.replaces ?? before)])
    const replaces = new Set(replaced.filter(id => seen.has(id) && !restates.has(id)))
    for (const id of seen) perhaps.delete(id)
    const { document, update, isRemade: isWeak = false } = written
    const fields = fieldsOfChanges(written.changes)
    const isLifting = written.changes.some(({ root, value }) => root === 'privacy' && value === undefined)
    const again: Again | undefined = origins.length > 0 ? { restates, isWeak, replaces, fields, isLifting } : undefined
    const made = { id: this.#count++, user, changes, seen, perhaps, document, ids: idsOf(update), written }
    const edit: KnownEdit = again ? { ...made, again } : made
    this.edits.set(user, [...this.editsOf(user), edit])
    return edit
  }

  /** The edits that a user's documents have. */
  included(user: string, documents: Documents): KnownEdit[] {
    return this.editsOf(user).filter(edit => this.#has(documents, edit))
  }

  /** Whether it is on disk now, or was at a position. */
  isOnDisk(user: string, document: 'roster' | 'profile', ids: UpdateIds, position: number): boolean {
    const isIn = (documents: Documents): boolean => includes(documents[document], ids)
    if (isIn(this.#documentsOf(user)) || isIn(this.#documentsAt(user, position))) return true
    // It was there before the document was refounded.
    const states = (this.#stored.get(user) ?? []).filter(one => one.position <= position)
    return states.some(one => isIn(this.#documentsAt(user, one.position)))
  }

  includedOnDisk(user: string): KnownEdit[] {
    return this.included(user, this.#documentsOf(user))
  }

  /** The edits that were in a user's documents on disk at a position. */
  includedAt(user: string, position: number): KnownEdit[] {
    return this.included(user, this.#documentsAt(user, position))
  }

  #documentsAt(user: string, position: number): Documents {
    const states = this.#stored.get(user) ?? []
    const stored = states.filter(one => one.position <= position).at(-1)
    if (!stored || stored === states.at(-1)) return this.#documentsOf(user)
    const documents = { roster: new Y.Doc(), profile: new Y.Doc() }
    Y.applyUpdateV2(documents.roster, stored.roster)
    Y.applyUpdateV2(documents.profile, stored.profile)
    return documents
  }

  /** The position of the last change that such a call of the backend made. */
  lastOf(path: string): number {
    return this.#lastOf.get(path) ?? 0
  }

  authorAt(position: number): string | undefined {
    return this.#authors.get(position)
  }

  /** The first position at which data was on disk that is there now; 0 if it is not. */
  firstAt(user: string, document: 'roster' | 'profile', ids: UpdateIds): number {
    if (!includes(this.#documentsOf(user)[document], ids)) return 0
    const states = this.#stored.get(user) ?? []
    const first = states.find(({ position }) => includes(this.#documentsAt(user, position)[document], ids))
    return first?.position ?? 0
  }

  /** A user's documents on the server's disk. */
  documentsOnDisk(user: string): Documents {
    return this.#documentsOf(user)
  }

  asked(change: Change): void {
    this.#asked.push(change)
  }

  failed(change: Change): void {
    this.#asked = this.#asked.filter(other => other !== change)
  }

  /** Saves everything that is known at this position. Returns a function that restores it. */
  backUp(): () => void {
    const [position, now, moments] = [this.#position, this.now, new Map(this.#moments)]
    const [registeredAt, isSilent] = [new Map(this.registeredAt), new Set(this.#isSilent)]
    const [incarnations, dead] = [new Map(this.#incarnations), new Set(this.#dead)]
    const documents = [...this.#documents].map(
      ([user, { roster, profile }]) =>
        [user, { roster: Y.encodeStateAsUpdateV2(roster), profile: Y.encodeStateAsUpdateV2(profile) }] as const,
    )
    return () => {
      // Another store may have been there meanwhile, so none of its moments count.
      this.#moments.clear()
      for (const [at, moment] of moments) this.#moments.set(at, moment)
      this.#position = position
      // A store's name for an incarnation outlives the data that the store lost.
      this.now = { ...now, names: this.now.names }
      this.#incarnations = new Map(incarnations)
      this.#dead = new Set(dead)
      this.registeredAt.clear()
      for (const [user, registration] of registeredAt) this.registeredAt.set(user, registration)
      this.#isSilent.clear()
      for (const user of isSilent) this.#isSilent.add(user)
      this.#documents.clear()
      this.#stored.clear()
      this.#lastOf.clear()
      for (const [user, { roster, profile }] of documents) {
        Y.applyUpdateV2(this.#documentsOf(user).roster, roster)
        Y.applyUpdateV2(this.#documentsOf(user).profile, profile)
      }
    }
  }

  /** The server was killed: what is not on disk is lost. */
  killed(): void {
    this.#asked = []
  }

  /** All changes up to a position are on disk, in the order of their requests. */
  written(position: number): void {
    const changes = this.#asked.splice(0, position - this.#position)
    if (changes.length < position - this.#position) this.#wrong('more was written than was asked for [D4]')
    this.wrote(changes)
  }

  /** These changes are on disk, in this order. */
  wrote(changes: readonly Change[]): void {
    for (const change of changes) {
      if (this.#written.has(change)) this.#wrong('a change was written twice [D2]')
      this.#written.add(change)
      this.#apply(change, ++this.#position)
      const paths = pathsOf(change)
      this.#authors.set(this.#position, paths[0] ?? ('user' in change ? change.user : ''))
      for (const path of paths) this.#lastOf.set(path, this.#position)
      this.#moments.set(this.#position, this.now)
    }
  }

  #apply(change: Change, position: number): void {
    switch (change.type) {
      case 'documents': {
        const documents = this.#documentsOf(change.user)
        for (const name of ['roster', 'profile'] as const) {
          const { update, snapshot } = change[name] ?? {}
          if (update && update === snapshot) this.#found(change.user, name, snapshot)
          else if (update) Y.applyUpdateV2(documents[name], update)
        }
        this.#store(change.user, position)
        const facts = factsOf(documents)
        this.judge(`on disk at ${position}`, change.user, documents, facts)
        const ended = this.included(change.user, documents).filter(({ id }) => this.#dead.has(id))
        if (ended.length > 0) this.#wrong(`${change.user} has an edit again of an account that was erased [D7]`)
        this.now = { ...this.now, unconfirmed: changed(this.now.unconfirmed, change.user, facts) }
        this.#set(change.user, { facts })
        if (change.registers) this.#register(change.user, position)
        return
      }
      case 'user':
        if (change.restricted !== undefined) this.#set(change.user, { isRestricted: change.restricted })
        if (change.announceJoin === false) this.#isSilent.add(change.user)
        if (change.announceJoin === true) this.#isSilent.delete(change.user)
        this.#register(change.user, position)
        return
      case 'pair': {
        const pairs = new Set(this.now.pairs)
        if (change.isPaired) pairs.add(pairOf(change.a, change.b))
        else pairs.delete(pairOf(change.a, change.b))
        this.now = { ...this.now, pairs }
        return
      }
      case 'erase': {
        const { user } = change
        const incarnation = this.incarnationOf(user) + 1
        this.#incarnations.set(user, incarnation)
        const onDisk = new Set(this.includedOnDisk(user))
        const isEnded = this.#isOfEnded(user)
        for (const edit of this.editsOf(user)) if (onDisk.has(edit) || isEnded(edit)) this.#dead.add(edit.id)
        this.#documents.delete(user)
        this.#store(user, position)
        this.registeredAt.delete(user)
        const factsByUser = new Map([...this.now.accounts].map(([one, { facts }]) => [one, facts]))
        this.now = { ...this.now, unconfirmed: erased(this.now.unconfirmed, factsByUser, user, incarnation) }
        const pairs = new Set([...this.now.pairs].filter(pair => !pair.split(' ').includes(change.user)))
        this.now = { ...this.now, pairs }
        const { isRestricted } = this.now.accounts.get(user) ?? nobody
        this.#set(user, { ...nobody, isRestricted })
      }
    }
  }

  /**
   * Checks whether a user's documents hold the result of their edits [R1–R6]. Until everything has arrived (`isEnd`), facts of
   * an edit that arrived in part are not checked. `hasPieces`: an edit may stay partial for ever, because a server refused the
   * rest of it, which was then made again.
   */
  judge(where: string, user: string, documents: Documents, facts: Facts, isEnd = false, hasPieces = false): void {
    const included = this.included(user, documents)
    const others = isEnd && hasPieces ? this.#partial(user, documents, included) : []
    const open = new Set(isEnd ? [] : this.openNames(user, documents, facts))
    for (const { name, wrong } of wrongFacts(included, facts, others, this.editsOf(user))) {
      if (!open.has(name)) this.#wrong(`${user} ${where}: ${wrong}`)
    }
  }

  /**
   * Edits that may or may not count after a server refused changes: those that arrived in part, and removals of values that a
   * server refused. When a device merges such a value and its removal with what a server had, Yjs may remove an older value,
   * too.
   */
  #partial(user: string, documents: Documents, included: readonly KnownEdit[]): KnownEdit[] {
    const absent = this.editsOf(user).filter(edit => !included.includes(edit))
    const isOfAbsent = ({ ids }: KnownEdit): boolean =>
      ids.added.length === 0 && ids.deleted.every(span => absent.some(edit => edit.ids.added.some(isWithin(span))))
    return [...new Set([...this.arriving(user, documents, included), ...absent.filter(isOfAbsent)])]
  }

  /** Names whose facts may differ for a while: those that a partly arrived edit changes, and fields between two pieces. */
  openNames(user: string, documents: Documents, facts: Facts): string[] {
    const included = this.included(user, documents)
    const partly = this.arriving(user, documents, included)
    return [...partly.flatMap(({ changes }) => [...changes.keys()]), ...this.#absentAwhile(user, included, facts)]
  }

  /**
   * Names of facts that may be absent for a while. After a server has lost data, a device removes a replaced profile value
   * before it puts the new one, because a new viewer would otherwise see the old value [V5]. Two devices may each have made the
   * same value again, and one of these replaces the other. While a device fills a server that does not know the user, any entry
   * may come in a later piece. The user is registered with the last piece, and no viewer sees anything before.
   */
  #absentAwhile(user: string, included: readonly KnownEdit[], facts: Facts): string[] {
    if (!this.mayLose) return []
    const coming = this.editsOf(user).filter(edit => !included.includes(edit))
    const names = new Set(coming.flatMap(({ changes }) => [...changes.keys()]))
    const isFilling = !this.now.accounts.get(user)?.isRegistered
    return [...names].filter(name => (isFilling || name.startsWith('field ')) && !facts.has(name))
  }

  /**
   * Names of facts that are gone before the edit arrives that removes them. A device sends removals before everything else [V6],
   * also of entries of other devices that its own entry replaced before the user removed it.
   */
  removedAhead(user: string, included: ReadonlySet<KnownEdit>, facts: Facts): string[] {
    const coming = this.editsOf(user).filter(edit => !included.has(edit) && !this.isDead(edit.id))
    return coming.flatMap(({ changes }) =>
      [...changes].flatMap(([name, value]) => (value === undefined && !facts.has(name) ? [name] : [])),
    )
  }

  /** Edits of which the documents have a part. */
  arriving(user: string, documents: Documents, included: readonly KnownEdit[]): KnownEdit[] {
    return this.editsOf(user).filter(
      edit =>
        !included.includes(edit) &&
        (includesSome(documents[edit.document], edit.ids) || this.#isFoundedWith(documents[edit.document], edit)),
    )
  }

  #store(user: string, position: number): void {
    const { roster, profile } = this.#documentsOf(user)
    const stored = { position, roster: Y.encodeStateAsUpdateV2(roster), profile: Y.encodeStateAsUpdateV2(profile) }
    this.#stored.set(user, [...(this.#stored.get(user) ?? []), stored])
  }

  #register(user: string, position: number): void {
    if (this.now.accounts.get(user)?.isRegistered) return
    const isAnnounced = !this.#isSilent.has(user)
    this.registeredAt.set(user, { position, isAnnounced })
    if (isAnnounced) this.wereAnnounced.add(user)
    this.#set(user, { isRegistered: true })
  }

  #set(user: string, change: Partial<Account>): void {
    const accounts = new Map(this.now.accounts)
    accounts.set(user, { ...(accounts.get(user) ?? nobody), ...change })
    this.now = { ...this.now, accounts }
  }

  #documentsOf(user: string): Documents {
    const known = this.#documents.get(user)
    if (known) return known
    const documents = { roster: new Y.Doc(), profile: new Y.Doc() }
    this.#documents.set(user, documents)
    return documents
  }
}

function isWithin({ client, clock, length }: Span): (whole: Span) => boolean {
  return whole => whole.client === client && whole.clock <= clock && clock + length <= whole.clock + whole.length
}

/** The client that founded a document; 0 for a document that was never refounded. */
function foundingOf(doc: Y.Doc): number {
  return founderOf(doc.store.clients.keys())
}

/** The paths of the backend's calls that make such a change. */
function pathsOf(change: Change): string[] {
  switch (change.type) {
    case 'pair':
      return [`/v1/pairs/${change.a}/${change.b}`, `/v1/pairs/${change.b}/${change.a}`]
    case 'user':
    case 'erase':
      return [`/v1/users/${change.user}`]
    case 'revoke':
      return [`/v1/users/${change.user}/sessions/revoke`]
    default:
      return []
  }
}
