import type { DocumentName } from '../relations/records.ts'
import { Account, type AccountContext } from './account.ts'
import type { Writer } from './writer.ts'

/** The accounts with work in progress. An account is removed when its queue is empty. */
export class Accounts {
  #context: AccountContext
  #busy = new Map<string, Account>()
  #idleWaiters: (() => void)[] = []

  constructor(context: AccountContext) {
    this.#context = context
  }

  of(user: string): Account {
    const busy = this.#busy.get(user)
    if (busy) return busy
    const { documents } = this.#context
    documents.hold(user)
    const account = new Account(user, this.#context, () => {
      this.#busy.delete(user)
      documents.release(user)
      if (this.#busy.size === 0) for (const resolve of this.#idleWaiters.splice(0)) resolve()
    })
    this.#busy.set(user, account)
    return account
  }

  /** Drops the queued writes of a writer. */
  drop(user: string, writer: Writer): void {
    this.#busy.get(user)?.drop(writer)
  }

  /** @see Account.backlog */
  backlog(user: string, mostBytes: number): Promise<void> | undefined {
    return this.#busy.get(user)?.backlog(mostBytes)
  }

  /** Drops documents that have not been used for a while. */
  sweep(): void {
    this.#context.documents.sweep()
  }

  /**
   * Erases an account, in the order of its other changes. Resolves when it is erased for every node: to whether it was erased.
   *
   * @param registeredAt - The registration that is to be erased: an account that has the id by then is not erased.
   * @param onErased - Called before any later change of the user.
   */
  erase(user: string, registeredAt?: number, onErased: () => void = () => undefined): Promise<boolean> {
    return new Promise((resolve, reject) => {
      const account = this.of(user)
      account.task(async () => {
        const { store, documents } = this.#context
        try {
          const { position, isMissed } = await store.commit({ type: 'erase', user, registeredAt })
          if (isMissed) return resolve(false)
          // Writes that arrived during the erasure are of sessions that end now. They must not begin the next account.
          account.dropAll()
          onErased()
          await store.whenEverywhere(position)
        } finally {
          documents.discard(user)
        }
        resolve(true)
      }, reject)
    })
  }

  /** Refounds a document, in the order of the user's other changes, even if its history is small. */
  refound(user: string, name: DocumentName): Promise<void> {
    return new Promise((resolve, reject) => {
      const account = this.of(user)
      account.task(async () => {
        try {
          await account.refound(name, true)
        } catch (error) {
          this.#context.documents.discard(user)
          throw error
        }
        resolve()
      }, reject)
    })
  }

  /** Resolves when no work is in progress. */
  async idle(): Promise<void> {
    if (this.#busy.size > 0) await new Promise<void>(resolve => this.#idleWaiters.push(resolve))
  }
}
