import type { Clock, Randomness } from './clock.ts'
import { Listeners } from './events.ts'
import { asKithError, Kith } from './kith.ts'
import type { LinkHost } from './link/host.ts'
import { Link } from './link/link.ts'
import type { WebSocketConstructor } from './link/socket.ts'
import { newNonce } from './nonce.ts'
import type { KithDatabase } from './storage/database.ts'
import { retryRefused } from './storage/edit.ts'
import { dropFetched } from './storage/prepare.ts'
import { Store } from './storage/store.ts'
import type { LockManagerLike } from './tabs/lock.ts'
import { type Sharing, share } from './tabs/share.ts'
import type { OwnLink } from './tabs/shared-link.ts'
import type { TokenSource } from './token.ts'

export interface Parts {
  readonly user: string
  readonly url: string
  readonly token: TokenSource
  /** One that was had already, for the first connect. */
  readonly firstToken: string | undefined
  readonly db: KithDatabase
  /** Absent: no other tab can have this database open. */
  readonly locks: LockManagerLike | undefined
  readonly clock: Clock
  readonly randomness: Randomness
  readonly WebSocket: WebSocketConstructor
  closeDatabase(): Promise<void>
  deleteDatabase(): Promise<void>
}

/** Puts a client together on an open database: the one place that names its concrete parts. */
export async function assemble(parts: Parts): Promise<Kith> {
  const { db, locks, clock, randomness } = parts
  let kith: Kith | undefined
  let link: OwnLink | undefined
  let sharing: Sharing | undefined
  const store = await Store.open(db, outcome => {
    kith?.committed(outcome)
    if (outcome.hasWritten) link?.wake()
  })
  const host: LinkHost = {
    ...parts,
    store,
    setStatus: status => {
      kith?.setStatus(status)
      sharing?.tell({ type: 'status', status })
    },
    failed: error => {
      kith?.failed(error)
      sharing?.tellError(error)
    },
    received: async message => {
      sharing?.tell({ type: 'message', message })
      await kith?.received(message)
    },
  }
  const begin = async (): Promise<void> => {
    await dropFetched(store)
    await retryRefused(store)
  }
  if (locks) {
    sharing = await share({
      ...{ db, store, clock, locks, tab: newNonce(randomness), kith: () => kith },
      newLink: () => new Link(host, parts.firstToken),
      begin,
      failed: error => {
        const failure = asKithError(error, 'database-failed')
        kith?.failed(failure)
        return failure
      },
    })
    link = sharing.link
  } else {
    await begin()
    link = new Link(host, parts.firstToken)
  }
  const [ownLink, ownSharing] = [link, sharing]
  const onOnline = (): void => ownLink.retryNow()
  globalThis.addEventListener?.('online', onOnline)
  kith = new Kith(
    {
      ...{ user: parts.user, store, link, newNonce: () => newNonce(randomness) },
      async closeDatabase() {
        globalThis.removeEventListener?.('online', onOnline)
        await ownSharing?.close()
        await parts.closeDatabase()
      },
      deleteDatabase: () => parts.deleteDatabase(),
    },
    new Listeners(),
  )
  return kith
}
