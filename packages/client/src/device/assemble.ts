import { KithError } from '@kith/shared'
import { asKithError, KithCore } from '../api/core.ts'
import { Kith } from '../api/kith.ts'
import type { Clock, Randomness } from '../clock.ts'
import { retryRefused } from '../database/edit.ts'
import type { KithDatabase } from '../database/schema.ts'
import { Store } from '../database/store.ts'
import { newNonce } from '../nonce.ts'
import { Link } from '../sync/connection-manager.ts'
import type { LinkHost } from '../sync/host.ts'
import type { WebSocketConstructor } from '../sync/socket.ts'
import { guardedSocket } from '../tabs/guarded-socket.ts'
import type { TabPlatform } from '../tabs/lock.ts'
import { type Sharing, share } from '../tabs/share.ts'
import type { DeviceLink } from '../tabs/shared-link.ts'
import type { TokenSource } from '../token.ts'
import { ErrorReporter } from './error-reporter.ts'
import { isLoss } from './loss.ts'
import { dropFetched } from './prepare.ts'
import { erased } from './recover.ts'
import type { Erasure } from './registry.ts'

export interface Parts {
  readonly user: string
  readonly url: string
  readonly token: TokenSource
  /** One that was had already, for the first connect. */
  readonly firstToken: string | undefined
  readonly db: KithDatabase
  /** Absent: no other tab can have this database open. */
  readonly tabs: TabPlatform | undefined
  readonly clock: Clock
  readonly randomness: Randomness
  readonly WebSocket: WebSocketConstructor
  /** Whose device this is, for the next visit. */
  noteVisit(): Promise<void>
  erasureOf(device: string): Promise<Erasure | undefined>
  closeDatabase(): Promise<void>
  /** Whether it was not noted before. */
  noteErased(device: string, why: Erasure): Promise<boolean>
  /** Deletes the database of this device, for good. */
  deleteDatabase(): Promise<void>
}

/** Puts a client together on an open database: the one place that names its concrete parts. */
export async function assemble(parts: Parts): Promise<Kith> {
  const { db, tabs, clock, randomness } = parts
  let kith: KithCore | undefined
  let link: DeviceLink | undefined
  let sharing: Sharing | undefined
  const trouble = new ErrorReporter(error => kith?.failed(error))
  /** What failed because the database is gone is no matter once that is back; the store tells if it can't be. */
  const report = (error: unknown): KithError => {
    const failure = asKithError(error, 'database-failed')
    if (isLoss(db, error)) store.refresh().catch(report)
    else if (failure.code !== 'closed') trouble.tell(failure)
    return failure
  }
  const store = await Store.open(db, {
    ...parts,
    committed(outcome) {
      kith?.committed(outcome)
      if (!outcome.hasWritten) return
      trouble.isOver()
      link?.wake()
    },
    interrupted: () => link?.restart(),
    restored() {
      link?.renew()
      kith?.failed(new KithError('database-lost', 'The storage was deleted: what this tab had is saved again'))
      const after = [kith?.committedElsewhere('many', []), sharing?.restored(), parts.noteVisit()]
      for (const work of after) work?.catch(report)
    },
    ended(error) {
      if (trouble.end(error)) void kith?.close()
    },
    failed: report,
  })
  const host: LinkHost = {
    ...parts,
    store,
    setStatus: status => {
      if (sharing) sharing.link.setStatus(status)
      else kith?.setStatus(status)
    },
    settled: () => trouble.isOver(),
    failed: error => {
      if (trouble.tell(error)) sharing?.tellError(error)
    },
    showPresence: known => {
      if (sharing) sharing.showPresence(known)
      else kith?.presences.show(known)
    },
    accountErased: () => {
      kith?.accountErased(erased('account-erased')).catch(report)
    },
    received: async message => {
      sharing?.tell({ type: 'message', message })
      await kith?.received(message)
    },
  }
  const begin = async (): Promise<void> => {
    await dropFetched(store)
    await retryRefused(store, randomness)
  }
  if (tabs) {
    sharing = await share({
      ...{ db, store, clock, randomness, platform: tabs, tab: newNonce(randomness), kith: () => kith },
      newLink: held => {
        const WebSocket = guardedSocket(parts.WebSocket, held.lease)
        return new Link({ ...host, store: held.store, WebSocket }, parts.firstToken)
      },
      begin,
      failed: report,
    })
    link = sharing.link
  } else {
    await begin()
    link = new Link(host, parts.firstToken)
  }
  const [ownLink, ownSharing] = [link, sharing]
  const onOnline = (): void => ownLink.retryNow()
  globalThis.addEventListener?.('online', onOnline)
  kith = new KithCore({
    ...{ user: parts.user, store, link, clock, newNonce: () => newNonce(randomness) },
    async closeDatabase() {
      globalThis.removeEventListener?.('online', onOnline)
      await ownSharing?.close()
      await parts.closeDatabase()
    },
    noteErased: why => parts.noteErased(store.documents.device, why),
    deleteDatabase: () => parts.deleteDatabase(),
  })
  if (sharing) kith.setStatus(sharing.link.status)
  return new Kith(kith)
}
