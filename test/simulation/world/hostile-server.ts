import { defaultContentLimits } from '@kith/shared'
import { type ClientMessage, decodeFrame, encodeFrame, type ServerMessage } from '@kith/shared/wire'
import * as Y from 'yjs'
import type { Documents } from './documents.ts'
import type { Wire } from './network.ts'

/**
 * How a server lies. It says nothing of other people. A server that hands out the account's documents names their incarnation
 * too: no device could tell that documents are of an account which was erased if it got them under another name [D7].
 */
export type Hostility =
  /** It refuses every change, and its state is empty. */
  | 'refuses all'
  /** It refuses every change, and its state is true. */
  | 'refuses true'
  /** It takes what is of the roster, and refuses what is of the profile; its states are empty. */
  | 'refuses profiles'
  /** It says that it takes everything, and keeps nothing. */
  | 'forgets'
  /** It ends the connection because of each change, as if it were too large. */
  | 'too large'

/** What the true server knows of an account. */
export interface Truth {
  documents: Documents
  /** As the server names it to the account's devices; absent while it has welcomed none. */
  incarnation: Uint8Array | undefined
}

const empty: Documents = { roster: new Y.Doc(), profile: new Y.Doc() }

/** Answers devices in the place of the server, and has no store. */
export class HostileServer {
  readonly #hostility: Hostility
  readonly #truthOf: (user: string) => Truth

  /** `truthOf`: what is on the true server's disk. */
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

/** What a server without an account to hand out calls an incarnation. */
const noName = new Uint8Array(16)

/** The incarnation that the device has, unless a server without the account gave it: then that of the account's documents. */
function nameFor(own: Uint8Array | undefined, ofDocuments: Uint8Array | undefined): Uint8Array {
  if (own?.some(byte => byte !== 0)) return own
  return ofDocuments ?? noName
}
