import { founderOf } from '@kith/shared'
import * as Y from 'yjs'
import type { Documents } from '../documents/documents.ts'
import { type Commit, type CommitListener, takesAway } from '../relations/commit.ts'
import type { DocumentName } from '../relations/records.ts'
import type { Store } from '../relations/store.ts'
import type { Relay } from '../relay/relay.ts'
import type { Accounts } from './accounts.ts'
import { mayHandOver } from './may-hand-over.ts'

export interface ElsewherePort {
  store: Store
  accounts: Pick<Accounts, 'of'>
  documents: Documents
  relay: Pick<Relay, 'relayOwn' | 'sessionsOf'>
  /** The user's tokens are no longer valid. */
  endSessions(user: string): void
  /** The account is erased. */
  forget(user: string): void
}

/** A read in progress of one user's documents, in the order of the commits. */
interface Reading {
  /** Resolves when everything that was read has been handed over. */
  done: Promise<void>
  /** The position of the last commit of each document that still has to be read. */
  latest: Map<DocumentName, number>
}

/**
 * Applies the effects that only commits of other nodes have. Documents in memory become outdated, the user's devices on this
 * node get the writes of the user's devices on other nodes, and sessions end.
 */
export class Elsewhere {
  readonly #port: ElsewherePort
  /** By user: the read in progress for the devices on this node. */
  readonly #reading: Map<string, Reading> = new Map()
  readonly listener: CommitListener = {
    committed: commits => {
      for (const commit of commits) if (commit.elsewhere) this.#note(commit, commit.elsewhere)
    },
  }

  constructor(port: ElsewherePort) {
    this.#port = port
  }

  /**
   * Resolves when the user's devices on this node have received everything that other nodes have written to the user's
   * documents so far.
   */
  async settled(user: string): Promise<void> {
    await this.#reading.get(user)?.done
  }

  #note(commit: Commit, { documents, ends }: NonNullable<Commit['elsewhere']>): void {
    const { subjects } = commit
    const [user] = subjects
    if (user === undefined) return
    if (ends) this.#port.endSessions(user)
    if (ends === 'account') this.#port.forget(user)
    if (ends === 'account' || documents.length > 0) this.#port.documents.noteOutdated(user)
    for (const name of documents) this.#relayLater(user, name, commit)
  }

  #relayLater(user: string, name: DocumentName, commit: Commit): void {
    if (this.#port.relay.sessionsOf(user).size === 0) return
    const { done, latest } = this.#reading.get(user) ?? { done: Promise.resolve(), latest: new Map() }
    latest.set(name, commit.position)
    const reading: Reading = {
      latest,
      done: done
        .then(() => this.#relay(user, name, commit, latest))
        .catch((error: unknown) => this.#failAll(user, error))
        .finally(() => {
          if (this.#reading.get(user) === reading) this.#reading.delete(user)
        }),
    }
    this.#reading.set(user, reading)
  }

  async #relay(user: string, name: DocumentName, commit: Commit, latest: Reading['latest']): Promise<void> {
    const { store, relay } = this.#port
    const { position } = commit
    if (takesAway(commit)) await store.whenEverywhere(position)
    const { version, parts } = await store.documentSince(user, name, position)
    await mayHandOver(store)
    const [part] = parts
    if (!part) return
    const isNewest = parts.length === 1 && version >= (latest.get(name) ?? 0)
    if (!isNewest || part.length > mostConverted) return this.#relayNewest(user, name, parts)
    const update = Y.convertUpdateFormatV2ToV1(part)
    const founder = founderOf(Y.parseUpdateMeta(update).to.keys())
    relay.relayOwn(user, name, update, founder, undefined)
  }

  #relayNewest(user: string, name: DocumentName, parts: readonly Uint8Array[]): Promise<void> {
    const account = this.#port.accounts.of(user)
    return new Promise((resolve, reject) => {
      account.task(async () => {
        await account.relayNewest(name, { v2: parts })
        resolve()
      }, reject)
    })
  }

  /** The user's devices lack a change of their own documents. They get it when they reconnect. */
  #failAll(user: string, error: unknown): void {
    for (const session of this.#port.relay.sessionsOf(user)) session.feed?.fail(error)
  }
}

/** A larger change is read from the document. If that takes long, it runs in a worker thread [S3]. */
const mostConverted = 64 * 1024
