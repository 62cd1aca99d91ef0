import { randomBytes, randomInt } from 'node:crypto'
import type { Audience, ErrorCode } from '@kith/shared'
import type { BackendChange, FieldEdit } from '../documents/backend-edit.ts'
import type { DocumentName } from '../relations/records.ts'
import type { Store } from '../relations/store.ts'
import { OneAtATime } from '../socket/one-at-a-time.ts'
import type { Accounts } from './accounts.ts'
import type { Writer } from './writer.ts'

/** An edit that was not admitted, as a device would have been told. */
export class RefusedEdit extends Error {
  readonly code: ErrorCode

  constructor(code: ErrorCode, what: string) {
    super(what)
    this.code = code
  }
}

/** There is no account: also if it was erased between the reading of the document and the writing. */
export class UnknownUser extends Error {
  constructor() {
    super('no user has this id')
  }
}

/** The document was refounded between the reading of it and the writing: the edit is made again upon what is there now. */
class Refounded extends Error {
  constructor(document: DocumentName) {
    super(`the ${document} was refounded under the edit`)
  }
}

/** An update, and the founder of the document that it builds upon. */
interface Made {
  update: Uint8Array
  founder: number
}

/** A document is hardly refounded twice within one edit. */
const mostAttempts = 5

/** Above those of devices that made content again. */
const leastClientId = 2 ** 26

/**
 * The backend's edits of users' documents, made as a device of theirs would make them: on the document as it stands, in the
 * order of the user's changes, admitted by the same rules, and relayed.
 *
 * Each resolves when it is on disk, and relayed. What takes something away, every node has applied by then [V4], also where it
 * had been written before and this edit changes nothing. Each rejects with {@link RefusedEdit} when it is not admitted,
 * and with {@link UnknownUser} when there is no account to write to.
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

  /** Sets whose messages reach the user. A narrower audience survives a wider one that had not seen it [R4]. */
  async setMessageAudience(user: string, audience: Audience): Promise<void> {
    await this.#edit(user, 'roster', { type: 'messageAudience', audience, nonce: newNonce() })
  }

  async #edit(user: string, document: DocumentName, change: BackendChange): Promise<void> {
    // Two edits that were made on the same state under one client id would be taken for the same.
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
            // Not the usual one: a failure may have ended it meanwhile.
            if (made?.clientId === other) this.#clientId = other
            resolve(made && { update: made.update, founder: account.founderInMemory(document) })
          }),
        reject,
      )
    })
  }

  /** Returns what went wrong, if anything did. */
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
      // In one turn with the write, so no erasure comes between the two: nothing may be left of the account after it [D7].
      account.task(async () => {
        if ((await this.#store.user(user)).registeredAt > 0) return
        outcome = new UnknownUser()
        account.drop(writer)
      }, reject)
      account.write({ writer, document, update, isAnswered: false })
      account.task(() => resolve(outcome), reject)
    })
  }

  /** What was written under this client id may be there or not. */
  #forget(): void {
    this.#clientId = newClientId()
    this.#losses = this.#store.losses
  }
}

function newClientId(): number {
  return randomInt(leastClientId, 2 ** 32)
}

/** Each narrowing is an entry of its own, so that none is removed unseen. */
function newNonce(): string {
  return randomBytes(9).toString('base64url')
}
