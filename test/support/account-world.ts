import type { Clock, Store } from '@kith/server'
import { applyChanges, type KeyChange, type Limits, profileRoot } from '@kith/shared'
import * as Y from 'yjs'
import { type AccountContext, Accounts, Documents, type MergeThread, type Writer } from './server-internals.ts'
import { limitsWith } from './stores.ts'

/** What the account sent to a device of these tests. */
interface Said {
  refused: { document: string; code: string; what: string }[]
  resends: number
  commits: number
  /** The number of bytes of documents that the server searched for this device. */
  lookedBytes: number
  /** The number of relations that each commit reported as concerned. */
  relations: number[]
  failures: unknown[]
  /** The founder of the roster that the device was notified of; `undefined` if it was notified of none. */
  founder?: number | undefined
  /** Whether the device was sent the present generation of its documents. Defaults to true. */
  hasGeneration?: boolean | undefined
}

/** A device that edits real documents and writes each edit to its account, without a socket. */
export interface WritingDevice extends Said {
  readonly user: string
  readonly roster: Y.Doc
  readonly profile: Y.Doc
  /** Applies each change to the document that its root belongs to. */
  edit(changes: readonly KeyChange[]): void
  send(document: 'roster' | 'profile', update: Uint8Array, isAnswer?: boolean): void
  /** Answers a sync step 1 with an empty roster: the user registers [F3]. */
  connect(): void
}

export interface AccountWorld {
  accounts: Accounts
  documents: Documents
  device(user: string): WritingDevice
}

export function accountsOver(
  store: Store,
  clock: Clock,
  limits: Partial<Limits> = {},
  cache: { maxHeapBytes?: number; thread?: MergeThread } = {},
  relayOwn: AccountContext['relayOwn'] = () => undefined,
): AccountWorld {
  const documents = new Documents({ store, clock, limits: limitsWith(limits), ...cache })
  const accounts = new Accounts({
    store,
    documents,
    relayOwn,
    outdate: () => undefined,
  })
  return { accounts, documents, device: user => deviceOf(accounts, user) }
}

function deviceOf(accounts: Accounts, user: string): WritingDevice {
  const said: Said = { refused: [], resends: 0, commits: 0, lookedBytes: 0, relations: [], failures: [] }
  const writer: Writer = {
    signedInAt: 0,
    refuse: (document, code, what) => said.refused.push({ document, code, what }),
    resend: () => {
      said.resends++
    },
    founderOf: name => (name === 'roster' ? said.founder : undefined),
    hasGeneration: () => said.hasGeneration !== false,
    noteFounder: () => undefined,
    outdate: () => said.failures.push(new Error('outdated')),
    looked: bytes => {
      said.lookedBytes += bytes
    },
    committed: relations => {
      said.commits++
      said.relations.push(relations)
    },
    fail: error => said.failures.push(error),
  }
  const documents = { roster: new Y.Doc({ gc: true }), profile: new Y.Doc({ gc: true }) }
  const send = (document: 'roster' | 'profile', update: Uint8Array, isAnswer = false): void =>
    accounts.of(user).write({ writer, document, update, isAnswered: isAnswer })
  for (const name of ['roster', 'profile'] as const) {
    documents[name].on('update', (update: Uint8Array) => send(name, update))
  }
  return Object.assign(said, documents, {
    user,
    send,
    edit: (changes: readonly KeyChange[]) => {
      applyChanges(
        documents.roster,
        changes.filter(({ root }) => root !== profileRoot),
      )
      applyChanges(
        documents.profile,
        changes.filter(({ root }) => root === profileRoot),
      )
    },
    connect: () => send('roster', Y.encodeStateAsUpdate(new Y.Doc()), true),
  })
}
