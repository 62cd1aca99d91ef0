import { defaultContentLimits } from '@kith/shared'
import { type ClientMessage, decodeFrame, encodeFrame, type ServerMessage } from '@kith/shared/wire'
import * as Y from 'yjs'
import type { Documents } from './documents.ts'
import type { Wire } from './network.ts'

/**
 * How a server lies. It sends nothing about other users. A server that hands out the account's documents also names their
 * incarnation. If it used another name, no device could recognise that the documents belong to an erased account [D7].
 */
export type Hostility =
  /** It refuses every change, and its state is empty. */
  | 'refuses all'
  /** It refuses every change, and its state is true. */
  | 'refuses true'
  /** It accepts changes of the roster, and refuses changes of the profile. Its states are empty. */
  | 'refuses profiles'
  /** It claims to accept everything, and keeps nothing. */
  | 'forgets'
  /** It ends the connection after each change, as if the change were too large. */
  | 'too large'

/** The true server's data of an account. */
export interface Truth {
  documents: Documents
  /** The name that the server gives to the account's devices; absent before the server has welcomed one. */
  incarnation: Uint8Array | undefined
}

const empty: Documents = { roster: new Y.Doc(), profile: new Y.Doc() }

/** Answers devices instead of the server, and has no store. */
export class HostileServer {
  readonly #hostility: Hostility
  readonly #truthOf: (user: string) => Truth

  /** `truthOf`: returns the data on the true server's disk. */
  constructor(hostility: Hostility, truthOf: (user: string) => Truth) {
    this.#hostility = hostility
    this.#truthOf = truthOf
  }

  answer(wire: Wire): void {
    const user = decodeURIComponent(new URL(wire.url).pathname.split('/').at(-1) ?? '')
    const nothing: Truth = { documents: empty, incarnation: undefined }
    const session = new HostileSession(
      wire,
      this.#hostility,
      this.#hostility === 'refuses true' ? this.#truthOf(user) : nothing,
    )
    wire.onopen?.(undefined as never)
    session.begin()
  }
}

class HostileSession {
  readonly #wire: Wire
  readonly #hostility: Hostility
  readonly #truth: Truth
  #isComplete = true

  constructor(wire: Wire, hostility: Hostility, truth: Truth) {
    this.#wire = wire
    this.#hostility = hostility
    this.#truth = truth
  }

  begin(): void {
    const hear = (data: Uint8Array): void => this.#take(decodeFrame(new Uint8Array(data)) as ClientMessage)
    this.#wire.server.on('message', hear as never)
    this.#ask('roster')
  }

  #take(message: ClientMessage): void {
    switch (message.type) {
      case 'hello':
        this.#say({
          type: 'welcome',
          isFresh: false,
          isErased: false,
          incarnation: nameFor(message.incarnation, this.#truth.incarnation),
          limits: defaultContentLimits,
        })
        this.#ask('profile')
        return this.#say({ type: 'caughtUp', cursor: new Uint8Array() })
      case 'barrier':
        this.#say({ type: 'reached', id: message.id, isComplete: this.#isComplete })
        this.#isComplete = true
        return
      case 'rosterSync':
      case 'ownProfile': {
        const document = message.type === 'rosterSync' ? 'roster' : 'profile'
        if (message.step !== 'step1') return this.#offered(document, message.payload)
        return this.#say({ ...message, step: 'step2', payload: Y.encodeStateAsUpdate(this.#truth.documents[document]) })
      }
      case 'sendMessage':
        return this.#say({ type: 'outcome', id: message.id, state: 'undelivered' })
      default:
    }
  }

  #offered(document: 'roster' | 'profile', update: Uint8Array): void {
    const isNothing = update.length <= 2
    if (isNothing || this.#hostility === 'forgets') return
    if (this.#hostility === 'refuses profiles' && document === 'roster') return
    if (this.#hostility === 'too large') return this.#wire.server.close(4413, '')
    this.#isComplete = false
    this.#say({ type: 'refused', document, code: document === 'roster' ? 'malformed' : 'profile-too-large' })
  }

  #ask(document: 'roster' | 'profile'): void {
    const payload = Y.encodeStateVector(this.#truth.documents[document])
    this.#say({ type: document === 'roster' ? 'rosterSync' : 'ownProfile', step: 'step1', payload })
  }

  #say(message: ServerMessage): void {
    this.#wire.server.send(encodeFrame(message), { binary: true }, () => undefined)
  }
}

/** The incarnation name of a server without an account to hand out. */
const noName = new Uint8Array(16)

/** The incarnation that the device has. If a server without the account gave it, the incarnation of the account's documents. */
function nameFor(own: Uint8Array | undefined, ofDocuments: Uint8Array | undefined): Uint8Array {
  if (own?.some(byte => byte !== 0)) return own
  return ofDocuments ?? noName
}
