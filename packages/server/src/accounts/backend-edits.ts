import { randomBytes, randomInt } from 'node:crypto'
import type { Audience, ErrorCode } from '@kith/shared'
import type { BackendChange, FieldEdit } from '../documents/backend-edit.ts'
import type { DocumentName } from '../relations/records.ts'
import type { Store } from '../relations/store.ts'
import { OneAtATime } from '../socket/one-at-a-time.ts'
import type { Accounts } from './accounts.ts'
import type { Writer } from './writer.ts'

/** An edit that was not admitted, with the error that a device would have received. */
export class RefusedEdit extends Error {
  readonly code: ErrorCode

  constructor(code: ErrorCode, what: string) {
    super(what)
    this.code = code
  }
}

/** The user has no account. The account may have been erased after the document was read and before the edit was written. */
export class UnknownUser extends Error {
  constructor() {
    super('no user has this id')
  }
}

/**
 * The document was refounded after it was read and before the edit was written. The edit is made again on the current document.
 */
class Refounded extends Error {
  constructor(document: DocumentName) {
    super(`the ${document} was refounded under the edit`)
  }
}

/** An update, and the founder of the document on which it is based. */
interface Made {
  update: Uint8Array
  founder: number
}

/** A document is very unlikely to be refounded twice within one edit. */
const mostAttempts = 5

/** Higher than the client ids of devices that made content again. */
const leastClientId = 2 ** 26

/**
 * The backend's edits of users' documents. They are made as a device of the user would make them: on the current document, in
 * the order of the user's changes, and admitted by the same rules. They are relayed.
 *
 * Each edit resolves when it is on disk and relayed. An edit that takes something away resolves only after every node has
 * applied the removal [V4]. This also holds if the removal had been written before, and this edit changes nothing. Rejects with
 * {@link RefusedEdit} when the edit is not admitted, and with {@link UnknownUser} when there is no account to write to.
 */
export class BackendEdits {
  readonly #store: Store
  readonly #accounts: Accounts
  readonly #turns = new OneAtATime()
  #clientId = newClientId()
  #losses: number

  constructor(store: Store, accounts: Accounts) {
    this.#store = store
    this.#accounts = accounts
    this.#losses = store.losses
  }

  /** Sets and unsets fields of a profile; each field is named once. */
  async editProfile(user: string, fields: readonly FieldEdit[]): Promise<void> {
    await this.#edit(user, 'profile', { type: 'fields', fields })
  }

  /**
   * Sets whose messages reach the user. A narrower audience is kept when a wider one is written without knowledge of it [R4].
   */
  async setMessageAudience(user: string, audience: Audience): Promise<void> {
    await this.#edit(user, 'roster', { type: 'messageAudience', audience, nonce: newNonce() })
  }

  async #edit(user: string, document: DocumentName, change: BackendChange): Promise<void> {
    // Two different edits, made on the same state under one client id, would be treated as the same edit.
    await this.#turns.run(user, () => this.#attempts(user, document, change))
  }

  async #attempts(user: string, document: DocumentName, change: BackendChange): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      if (this.#store.losses !== this.#losses) this.#forget()
      const signedInAt = this.#store.position
      const made = await this.#make(user, document, change)
      if (!made) return
      const outcome = await this.#write(user, document, made, signedInAt)
      if (!outcome) return
      this.#forget()
      if (!(outcome instanceof Refounded) || attempt === mostAttempts) throw outcome
    }
  }

  #make(user: string, document: DocumentName, change: BackendChange): Promise<Made | undefined> {
    const account = this.#accounts.of(user)
    const other = newClientId()
    return new Promise((resolve, reject) => {
      account.task(
        () =>
          account.madeEdit(document, { change, clientIds: [this.#clientId, other] }, made => {
            // Not the usual client id: a failure may have ended that one meanwhile.
            if (made?.clientId === other) this.#clientId = other
            resolve(made && { update: made.update, founder: account.founderInMemory(document) })
          }),
        reject,
      )
    })
  }

  /** Returns the error, or `undefined` if the write succeeded. */
  #write(user: string, document: DocumentName, { update, founder }: Made, signedInAt: number): Promise<unknown> {
    const account = this.#accounts.of(user)
    let outcome: unknown
    const ignore = (): void => undefined
    const writer: Writer = {
      signedInAt,
      refuse: (_, code, what) => {
        outcome = new RefusedEdit(code, what)
      },
      resend: () => {
        outcome = new Error('the document changed under the edit')
      },
      fail: error => {
        outcome = error
      },
      founderOf: () => founder,
      hasGeneration: () => true,
      noteFounder: ignore,
      outdate: () => {
        outcome = new Refounded(document)
      },
      committed: ignore,
      looked: ignore,
    }
    return new Promise((resolve, reject) => {
      // In the same turn as the write, so that no erasure comes between them: nothing of the account may remain after its
      // erasure [D7].
      account.task(async () => {
        try {
          if ((await this.#store.user(user)).registeredAt > 0) return
          outcome = new UnknownUser()
        } catch (error) {
          outcome = error
        }
        account.drop(writer)
      }, reject)
      account.write({ writer, document, update, isAnswered: false })
      account.task(() => resolve(outcome), reject)
    })
  }

  /** It is unknown whether the updates that were written under this client id are stored. */
  #forget(): void {
    this.#clientId = newClientId()
    this.#losses = this.#store.losses
  }
}

function newClientId(): number {
  return randomInt(leastClientId, 2 ** 32)
}

/** Each narrowing is a separate entry, so that an edit that does not know a narrowing cannot remove it. */
function newNonce(): string {
  return randomBytes(9).toString('base64url')
}
