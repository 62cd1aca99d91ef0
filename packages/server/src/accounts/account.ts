import {
  contactFacts,
  type ErrorCode,
  flatMapsOf,
  type Limits,
  parseProfileKey,
  profileFields,
  profileRoot,
  type RosterRoot,
  rosterSettings,
  userOfKey,
} from '@kith/shared'
import { encodeFields } from '@kith/shared/wire'
import * as Y from 'yjs'
import { admit } from '../admission/admission.ts'
import { profileRules, rosterRules } from '../admission/rules.ts'
import { sizeError } from '../admission/size-limits.ts'
import type { DocumentName } from '../store/keys.ts'
import type { DocumentsChange, Store } from '../store/store.ts'
import type { Applied, StoredDocument } from '../store/stored-document.ts'
import type { Documents } from './documents.ts'

/** A device's session, as its user's account sees it. */
export interface Writer {
  /** An update was not admitted, and nothing of it was written. */
  refuse(document: DocumentName, code: ErrorCode, what: string): void
  /** An update builds on what the server lacks: ask for all, if not asked already. */
  resend(document: DocumentName, stateVector: Uint8Array): void
  /** Something of this session's is on disk now. */
  committed(): void
  /** Nothing of what this session wrote since the last commit is on disk. */
  fail(error: unknown): void
}

interface Write {
  type: 'write'
  writer: Writer
  document: DocumentName
  update: Uint8Array
  /** It is the answer to the server's sync step 1, or came after that. */
  isAnswered: boolean
}

interface Task {
  type: 'task'
  run: () => Promise<void> | void
  fail: (error: unknown) => void
}

export interface AccountContext {
  store: Store
  documents: Documents
  limits: Limits
  /** Hands an update to the user's other devices. */
  relayOwn(user: string, document: DocumentName, update: Uint8Array, except: Writer): void
}

/**
 * One user's documents and the one order in which they change: the life of a write. Everything that the user's devices
 * send goes through this queue, so an edit is handled after the revocation that came before it [V6], and a barrier after
 * what it covers [D2]. Consecutive writes of one session are one commit.
 */
export class Account {
  readonly user: string
  #context: AccountContext
  #queue: (Write | Task)[] = []
  #isRunning = false
  #onIdle: () => void

  constructor(user: string, context: AccountContext, onIdle: () => void) {
    this.user = user
    this.#context = context
    this.#onIdle = onIdle
  }

  write(write: Omit<Write, 'type'>): void {
    this.#enqueue({ type: 'write', ...write })
  }

  /** Runs when all that came before is on disk, or was refused. If it throws, `fail` is told, and the queue goes on. */
  task(run: () => Promise<void> | void, fail: (error: unknown) => void): void {
    this.#enqueue({ type: 'task', run, fail })
  }

  /** What the disk holds of a document that the device lacks; `undefined` for a state vector that is none. */
  async missing(name: DocumentName, stateVector: Uint8Array): Promise<Uint8Array | undefined> {
    const { doc } = await this.#context.documents.load(this.user, name)
    try {
      return Y.encodeStateAsUpdate(doc, stateVector)
    } catch {
      // The only input is the vector: what is wrong is its sender's doing, who is told.
      return undefined
    }
  }

  async stateVector(name: DocumentName): Promise<Uint8Array> {
    return Y.encodeStateVector((await this.#context.documents.load(this.user, name)).doc)
  }

  #enqueue(entry: Write | Task): void {
    this.#queue.push(entry)
    if (this.#isRunning) return
    this.#isRunning = true
    void this.#run()
  }

  async #run(): Promise<void> {
    for (let next = this.#queue[0]; next; next = this.#queue[0]) {
      if (next.type === 'task') {
        this.#queue.shift()
        try {
          await next.run()
        } catch (error) {
          next.fail(error)
        }
        continue
      }
      const { writer } = next
      const count = this.#queue.findIndex(entry => entry.type !== 'write' || entry.writer !== writer)
      const run = this.#queue.splice(0, count === -1 ? this.#queue.length : count) as Write[]
      try {
        await this.#commit(writer, run)
      } catch (error) {
        this.#context.documents.discard(this.user)
        // What came after may build on what failed: a profile edit on the revocation before it [V6].
        this.#queue = this.#queue.filter(entry => entry.type === 'task' || entry.writer !== writer)
        writer.fail(error)
      }
    }
    // In the same breath as the last look at the queue: what comes later starts anew.
    this.#isRunning = false
    this.#onIdle()
  }

  /** Admit, persist, relay: in that order. */
  async #commit(writer: Writer, run: readonly Write[]): Promise<void> {
    const { store, documents, relayOwn } = this.#context
    const roster = await documents.load(this.user, 'roster')
    const profile = await documents.load(this.user, 'profile')
    const { applied: rosterApplied, isAnswered } = this.#admit(writer, 'roster', roster, run)
    const { applied: profileApplied } = this.#admit(writer, 'profile', profile, run)
    const isNew = isAnswered && (await store.user(this.user)).registeredAt === 0
    if (!rosterApplied && !profileApplied && !isNew) return
    await store.commit(changeOf(this.user, isNew, roster, rosterApplied, profile, profileApplied))
    if (rosterApplied) relayOwn(this.user, 'roster', rosterApplied.relayed, writer)
    if (profileApplied) relayOwn(this.user, 'profile', profileApplied.relayed, writer)
    writer.committed()
  }

  /** `isAnswered`: a roster that the device was asked for was admitted, if only an empty one [F3]. */
  #admit(
    writer: Writer,
    name: DocumentName,
    document: StoredDocument,
    run: readonly Write[],
  ): { applied: Applied | undefined; isAnswered: boolean } {
    const { limits } = this.#context
    const rules = name === 'roster' ? rosterRules(limits) : profileRules(limits)
    let answered = false
    const applied = document.apply(apply => {
      for (const { update, isAnswered } of run.filter(write => write.document === name)) {
        const admission = admit(document.doc, update, rules)
        const tooLarge =
          admission.state === 'admitted' ? sizeError(name, document, update, admission.adds, limits) : undefined
        if (tooLarge) writer.refuse(name, tooLarge, 'beyond the size limit')
        else if (admission.state === 'refused') writer.refuse(name, admission.code, admission.what)
        else if (admission.state === 'missing') writer.resend(name, Y.encodeStateVector(document.doc))
        else {
          apply(update)
          answered ||= isAnswered
        }
      }
    })
    return { applied, isAnswered: answered }
  }
}

function changeOf(
  user: string,
  registers: boolean,
  roster: StoredDocument,
  rosterApplied: Applied | undefined,
  profile: StoredDocument,
  profileApplied: Applied | undefined,
): DocumentsChange {
  return {
    type: 'documents',
    user,
    registers,
    ...rosterPart(roster, rosterApplied),
    ...profilePart(profile, profileApplied),
  }
}

function rosterPart(roster: StoredDocument, applied: Applied | undefined): Pick<DocumentsChange, 'roster'> {
  if (!applied) return {}
  const view = flatMapsOf(roster.doc)
  const users = new Set<string>()
  for (const [root, keys] of applied.keys) {
    if (root === 'labels') continue
    for (const key of keys) {
      const user = userOfKey(root as RosterRoot, key)
      if (user !== undefined) users.add(user)
    }
  }
  return { roster: { ...applied.stored, facts: contactFacts(view, users), settings: rosterSettings(view) } }
}

function profilePart(profile: StoredDocument, applied: Applied | undefined): Pick<DocumentsChange, 'profile'> {
  if (!applied) return {}
  const fields = profileFields(flatMapsOf(profile.doc))
  const levels = new Map<number, Uint8Array>()
  for (const key of applied.keys.get(profileRoot) ?? []) {
    const level = parseProfileKey(key)?.level
    if (level !== undefined && !levels.has(level)) levels.set(level, encodeFields(fields.get(level) ?? {}))
  }
  return { profile: { ...applied.stored, levels } }
}
