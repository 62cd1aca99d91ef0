import type { BackendEdit, MadeEdit } from '../documents/backend-edit.ts'
import type { ExportedBeside } from '../documents/exported.ts'
import type { Updates } from '../documents/missing.ts'
import type { DocumentsChange } from '../relations/changes.ts'
import { type Commit, takesAway } from '../relations/commit.ts'
import { LostHistory, OutdatedDocument } from '../relations/outdated.ts'
import type { DocumentName } from '../relations/records.ts'
import type { Store } from '../relations/store.ts'
import { AccountQueue, type Write } from './account-queue.ts'
import { type Admitted, admitWrites, EarlierGeneration, mostAtOnce } from './admit-writes.ts'
import { mayHandOver } from './may-hand-over.ts'
import { type RefoundingContext, refound } from './refounding.ts'
import type { Writer } from './writer.ts'

export interface AccountContext extends RefoundingContext {
  /** Sends an update to the user's other devices. `founder`: the founder of the changed document. */
  relayOwn(user: string, document: DocumentName, update: Uint8Array, founder: number, except: Writer | undefined): void
}

/**
 * One user's documents: commits writes, and finds what a returning device lacks. Everything that the user's devices send goes
 * through one queue.
 */
export class Account {
  readonly user: string
  readonly #context: AccountContext
  readonly #queue: AccountQueue

  constructor(user: string, context: AccountContext, onIdle: () => void) {
    this.user = user
    this.#context = context
    this.#queue = new AccountQueue((writer, run) => this.#writeAll(writer, run), onIdle)
  }

  write(write: Omit<Write, 'type'>): void {
    this.#queue.write(write)
  }

  /** See {@link AccountQueue.task}. */
  task(run: () => Promise<void> | void, fail: (error: unknown) => void): void {
    this.#queue.task(run, fail)
  }

  /** See {@link AccountQueue.drop}. */
  drop(writer: Writer): void {
    this.#queue.drop(writer)
  }

  /** See {@link AccountQueue.dropAll}. */
  dropAll(): void {
    this.#queue.dropAll()
  }

  /** See {@link AccountQueue.backlog}. */
  backlog(mostBytes: number): Promise<void> | undefined {
    return this.#queue.backlog(mostBytes)
  }

  /**
   * Calls `answer` with the part of a document on disk that the device lacks, or with `undefined` if the state vector is
   * malformed. The answer contains everything that was relayed to the device before; the device relies on that. A removal in a
   * roster is shown to no device before every node has applied it [V4].
   */
  missing(
    name: DocumentName,
    stateVector: Uint8Array,
    answer: (missing: Uint8Array | undefined) => void,
  ): Promise<void> {
    return this.#handOver(name, () => this.#context.documents.missing(this.user, name, stateVector), answer)
  }

  /**
   * Calls `answer` with whether the disk holds exactly what the device holds, by its digest. As in
   * {@link missing}, no `await` is between the last check of the document and `answer`.
   */
  compare(name: DocumentName, digest: Uint8Array, answer: (isSame: boolean) => void): Promise<void> {
    return this.#handOver(
      name,
      () => this.#context.documents.digest(this.user, name),
      own => answer(own !== undefined && Buffer.compare(own, digest) === 0),
    )
  }

  /** Calls `answer` with the export file of the account, in JSON. Call this in a task. */
  exported(beside: ExportedBeside, answer: (file: Uint8Array) => void): Promise<void> {
    return this.#handOver('roster', () => this.#context.documents.exported(this.user, beside), answer)
  }

  /** Passes the update of a backend edit to `answer`; `undefined` if the edit changes nothing. To be called in a task. */
  madeEdit(name: DocumentName, edit: BackendEdit, answer: (made: MadeEdit | undefined) => void): Promise<void> {
    return this.#handOver(name, () => this.#context.documents.madeEdit(this.user, name, edit), answer)
  }

  /** Reads the document from disk. Reads it again if another node changes it before the result may be handed over. */
  async #handOver<T>(name: DocumentName, read: () => Promise<T>, answer: (found: T) => void): Promise<void> {
    const { store, documents } = this.#context
    for (;;) {
      const found = await read()
      if (name === 'roster') await store.whenEverywhere(documents.versionOf(this.user, name))
      await mayHandOver(store)
      // No `await` between this check and the answer: otherwise a write of another node might be relayed between the two.
      if (!documents.isOutdated(this.user, name)) return answer(found)
    }
  }

  /**
   * Sends the user's devices the content of these updates, encoded from the document as it is now. Call this in a task. Another
   * node may have written between an update and its relaying: a value that was overwritten since is not sent [V5].
   */
  relayNewest(name: DocumentName, updates: Updates, except?: Writer): Promise<void> {
    return this.#handOver(
      name,
      () => this.#context.documents.newest(this.user, name, updates),
      newest => this.#relayOwn(name, newest, except),
    )
  }

  async #relay(name: DocumentName, update: Uint8Array, except: Writer): Promise<void> {
    const { documents } = this.#context
    if (documents.isOutdated(this.user, name)) return this.relayNewest(name, { v1: [update] }, except)
    this.#relayOwn(name, update, except)
  }

  #relayOwn(name: DocumentName, update: Uint8Array, except: Writer | undefined): void {
    this.#context.relayOwn(this.user, name, update, this.founderInMemory(name), except)
  }

  /** Returns the weight of a document. */
  weight(name: DocumentName): Promise<number> {
    return this.#context.documents.weight(this.user, name)
  }

  stateVector(name: DocumentName): Promise<Uint8Array> {
    return this.#context.documents.stateVector(this.user, name)
  }

  /** Returns the client that founded the document's generation, if it is known in memory. */
  founderInMemory(name: DocumentName): number {
    return this.#context.documents.founderInMemory(this.user, name)
  }

  /**
   * Whether a state vector, or a document with it, belongs to another generation than the document on disk. Call this in a
   * task.
   */
  isOfOther(name: DocumentName, stateVector: Uint8Array): Promise<boolean> {
    return this.#context.documents.isOfOther(this.user, name, stateVector)
  }

  /** Refounds the document. Call this in a task. `isForced`: also if the history of the document is small. */
  refound(name: DocumentName, isForced = false): Promise<void> {
    return refound(this.#context, this.user, name, isForced)
  }

  /** Queues a refounding behind the work that the devices sent before, so nothing else changes the documents meanwhile. */
  #refoundLater(name: DocumentName): void {
    // If this fails, the next committed change tries again.
    this.task(
      () => this.refound(name),
      () => this.#context.documents.discard(this.user),
    )
  }

  async #writeAll(writer: Writer, run: Write[]): Promise<void> {
    try {
      await this.#commit(writer, run)
    } catch (error) {
      this.#context.documents.discard(this.user)
      // Later writes may build on the failed one, for example a profile edit on the revocation before it [V6].
      this.drop(writer)
      if (error instanceof EarlierGeneration) writer.outdate(error.document)
      else writer.fail(error)
    }
  }

  /** In this order: admit, persist, wait for all nodes if the commit takes something away, relay. */
  async #commit(writer: Writer, run: Write[]): Promise<void> {
    const { store, documents } = this.#context
    const { refusal, losses } = store
    this.#queue.putBack(run.splice(await mostAtOnce(documents, this.user, run)))
    const admitted = await this.#admitAndWrite(writer, run, { refusal, losses })
    const { roster, profile, commit } = admitted
    if (roster?.isDue) this.#refoundLater('roster')
    if (profile?.isDue) this.#refoundLater('profile')
    if (!commit) return
    // Later entries wait as well: a barrier, and an edit that relies on the removal [D2][V6].
    if (takesAway(commit)) await store.whenEverywhere(commit.position)
    await mayHandOver(store)
    if (roster?.relayed) await this.#relay('roster', roster.relayed, writer)
    if (profile?.relayed) await this.#relay('profile', profile.relayed, writer)
    const isWhole = commit.standings.includes(this.user)
    // A device that refills a server which lost its store also brings the founder.
    if (roster) writer.noteFounder('roster', documents.founderInMemory(this.user, 'roster'))
    if (profile) writer.noteFounder('profile', documents.founderInMemory(this.user, 'profile'))
    const named = isWhole ? Math.floor((roster?.weight ?? 0) / bytesPerRelation) : 0
    writer.committed(Math.max(named, roster?.roster?.facts.size ?? 0))
  }

  /**
   * Admits writes and stores the admitted ones. If another node changed the documents meanwhile, repeats this on the new
   * documents. The device receives the outcome of its writes once the outcome is certain. Without a commit, there was nothing
   * to write.
   */
  async #admitAndWrite(
    writer: Writer,
    run: readonly Write[],
    { refusal, losses }: Pick<Store, 'refusal' | 'losses'>,
  ): Promise<{ roster: Admitted | undefined; profile: Admitted | undefined; commit: Commit | undefined }> {
    const { user } = this
    const { store, documents } = this.#context
    for (;;) {
      const roster = await admitWrites(documents, { user, writer, name: 'roster' }, run)
      const profile = await admitWrites(documents, { user, writer, name: 'profile' }, run)
      const say = (): void => {
        roster?.say()
        profile?.say()
      }
      try {
        const registers = roster?.isAnswered === true && (await store.user(this.user)).registeredAt === 0
        const isNothing = !roster?.relayed && !profile?.relayed && !registers
        // Throw even if changes are accepted again by now: the data that was read may be older than the data on disk.
        if (refusal && !isNothing) throw refusal
        if (store.losses !== losses) throw new LostHistory()
        const commit = isNothing ? undefined : await store.commit(this.#changeOf(writer, registers, roster, profile))
        if (commit && roster?.relayed) documents.noteCommitted(this.user, 'roster', commit.position)
        if (commit && profile?.relayed) documents.noteCommitted(this.user, 'profile', commit.position)
        say()
        return { roster, profile, commit }
      } catch (error) {
        if (!(error instanceof OutdatedDocument)) {
          say()
          throw error
        }
        documents.discard(this.user)
      }
    }
  }

  #changeOf(
    writer: Writer,
    registers: boolean,
    roster: Admitted | undefined,
    profile: Admitted | undefined,
  ): DocumentsChange {
    const buildsOn = {
      ...(roster?.relayed && { roster: roster.version }),
      ...(profile?.relayed && { profile: profile.version }),
    }
    const changes = { roster: roster?.roster, profile: profile?.profile }
    // A device that refills a server which lost its store also brings a refounded document.
    const isRefounded =
      (roster !== undefined && this.founderInMemory('roster') > 0) ||
      (profile !== undefined && this.founderInMemory('profile') > 0)
    const { user } = this
    return { type: 'documents', user, registers, buildsOn, isRefounded, signedInAt: writer.signedInAt, ...changes }
  }
}

/**
 * The approximate size in a roster of one user whom the roster names. The cost of a switch is estimated from the size of the
 * user's own roster. Entries about the user in others' rosters are not counted, because the user's debt would reveal them
 * [V10].
 */
const bytesPerRelation = 160
