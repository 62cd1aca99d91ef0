import { randomInt } from 'node:crypto'
import {
  applyChanges,
  type ErrorCode,
  type FieldValue,
  flatMapsOf,
  founderOf,
  planField,
  profileRoot,
  retiredOf,
} from '@kith/shared'
import * as Y from 'yjs'
import type { Store } from '../relations/store.ts'
import { OneAtATime } from '../socket/one-at-a-time.ts'
import type { Accounts } from './accounts.ts'
import type { Writer } from './writer.ts'

/** A field at a level that is set, or unset with `undefined`. */
export interface FieldEdit {
  level: number
  name: string
  value: FieldValue | undefined
}

/** An edit that was not admitted, as a device would have been told. */
export class RefusedEdit extends Error {
  readonly code: ErrorCode

  constructor(code: ErrorCode, what: string) {
    super(what)
    this.code = code
  }
}

/** The profile was refounded between the reading of it and the writing: the edit is made again upon what is there now. */
class Refounded extends Error {
  constructor() {
    super('the profile was refounded under the edit')
  }
}

/** A profile is hardly refounded twice within one edit. */
const mostAttempts = 5

/** The backend's own key of each field, as a device has one. */
const writerNonce = 'kith-backend'
/** Above those of devices that made content again. */
const leastClientId = 2 ** 26

/**
 * The backend's edits of users' profiles, made as a device of theirs would make them: on the document as it stands, in the order of
 * the user's changes, admitted by the same rules, and relayed.
 */
export class ProfileEdits {
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

  /** Resolves when the edits are on disk, and relayed. Rejects with {@link RefusedEdit} when they are not admitted. */
  async edit(user: string, edits: readonly FieldEdit[]): Promise<void> {
    // Two edits that were made on the same state under one client id would be taken for the same.
    await this.#turns.run(user, () => this.#edit(user, edits))
  }

  async #edit(user: string, edits: readonly FieldEdit[]): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      if (this.#store.losses !== this.#losses) this.#forget()
      const signedInAt = this.#store.position
      const made = await this.#updateOf(user, edits)
      if (!made) return
      const outcome = await this.#write(user, made, signedInAt)
      if (!outcome) return
      this.#forget()
      if (!(outcome instanceof Refounded) || attempt === mostAttempts) throw outcome
    }
  }

  /** `founder`: that of the profile that the update builds upon. */
  async #updateOf(
    user: string,
    edits: readonly FieldEdit[],
  ): Promise<{ update: Uint8Array; founder: number } | undefined> {
    const doc = new Y.Doc()
    try {
      const stored = await this.#stored(user)
      if (stored) Y.applyUpdate(doc, stored)
      doc.getMap(profileRoot)
      if (retiredOf(doc).has(this.#clientId)) this.#forget()
      doc.clientID = this.#clientId
      let update: Uint8Array | undefined
      doc.on('update', bytes => {
        update = bytes
      })
      doc.transact(() => {
        for (const { level, name, value } of edits) {
          applyChanges(doc, planField(flatMapsOf(doc), writerNonce, level, name, value))
        }
      })
      return update && { update, founder: founderOf(doc.store.clients.keys()) }
    } finally {
      doc.destroy()
    }
  }

  #stored(user: string): Promise<Uint8Array | undefined> {
    const account = this.#accounts.of(user)
    return new Promise((resolve, reject) => {
      account.task(() => account.missing('profile', Y.encodeStateVector(new Y.Doc()), resolve), reject)
    })
  }

  /** Returns what went wrong, if anything did. */
  #write(
    user: string,
    { update, founder }: { update: Uint8Array; founder: number },
    signedInAt: number,
  ): Promise<unknown> {
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
        outcome = new Refounded()
      },
      committed: ignore,
      looked: ignore,
    }
    return new Promise((resolve, reject) => {
      account.write({ writer, document: 'profile', update, isAnswered: false })
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
