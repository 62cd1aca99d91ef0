import { KithError } from '@kith/shared'
import type { FieldTypes, LevelNames } from '../api/app-types.ts'
import { followAutomatically } from '../api/automatic-follow.ts'
import { KithCore } from '../api/core.ts'
import { Kith } from '../api/kith.ts'
import { Shown } from '../api/shown.ts'
import type { DeviceDatabase } from '../database/contract.ts'
import { retryRefused } from '../database/edit.ts'
import { asKithError } from '../database/failure.ts'
import { dropFetched } from '../database/fetched-replicas.ts'
import { newNonce } from '../nonce.ts'
import { Signal } from '../signal.ts'
import { ConnectionManager } from '../sync/connection-manager.ts'
import type { LinkHost } from '../sync/host.ts'
import type { WebSocketConstructor } from '../sync/socket.ts'
import { guardedSocket } from '../tabs/guarded-socket.ts'
import type { TabPlatform } from '../tabs/lock.ts'
import { share } from '../tabs/share.ts'
import type { DeviceLink } from '../tabs/shared-link-port.ts'
import { plainError } from '../tabs/tab-messages.ts'
import type { TokenSource } from '../token.ts'
import { ErrorReporter } from './error-reporter.ts'
import { Lifecycle } from './lifecycle.ts'
import { type DatabasePlace, erased } from './recover.ts'
import { forgetVisit, noteErased, noteVisit } from './registry.ts'

export interface Parts extends DatabasePlace {
  readonly url: string
  readonly token: TokenSource
  /** A token that was obtained earlier, for the first connection. */
  readonly firstToken: string | undefined
  /** Open, and set up. */
  readonly db: DeviceDatabase
  /** Absent if no other tab can have this database open. */
  readonly tabs: TabPlatform | undefined
  readonly WebSocket: WebSocketConstructor
  readonly levelNames: LevelNames
  /** Lets another client of this process open the database. */
  release(): void
}

/** Assembles a client on an open database. Only this file names its concrete parts. */
export async function assemble<F extends FieldTypes<F>, L extends string>(parts: Parts): Promise<Kith<F, L>> {
  const { user, url, storage, clock, randomness, levelNames } = parts
  const lifecycle = await Lifecycle.open(parts, parts.db)
  const shown = new Shown({ user, store: lifecycle, clock, levelNames, newNonce: () => newNonce(randomness) })
  const errors = new ErrorReporter(error => shown.failed(error))
  const report = (error: unknown): KithError => {
    const failure = asKithError(error, 'database-failed')
    if (failure.code !== 'closed') errors.tell(failure)
    return failure
  }
  lifecycle.committed.on(outcome => {
    shown.committed(outcome)
    if (outcome.hasWritten) errors.isOver()
  })
  lifecycle.failed.on(report)
  lifecycle.onOpen(isAnother => {
    if (!isAnother) return
    shown.failed(new KithError('database-lost', 'The storage was deleted: what this tab had is saved again'))
    for (const work of [shown.committedElsewhere('many', []), noteVisit(storage, url, user)]) work.catch(report)
  })
  const accountErased = new Signal<[]>()
  const host: LinkHost = {
    ...parts,
    store: lifecycle,
    openStore: () => lifecycle.openStore(),
    setStatus: status => shown.setStatus(status),
    settled: () => errors.isOver(),
    failed: error => void errors.tell(error),
    showPresence: known => shown.presences.show(known),
    accountErased: () => accountErased.emit(),
    received: async message => {
      shown.showMessage(message)
      await followAutomatically(lifecycle, message.from)
    },
  }
  const { link, close } = await connect(parts, lifecycle, shown, host, errors, report)
  const onOnline = (): void => link.retryNow()
  globalThis.addEventListener?.('online', onOnline)
  const core = new KithCore({
    ...{ shown, link },
    seal: () => lifecycle.seal(),
    async closeDatabase() {
      globalThis.removeEventListener?.('online', onOnline)
      await close(() => lifecycle.close())
      parts.release()
    },
    noteErased: why => noteErased(storage, lifecycle.documents.device, why),
    async deleteDatabase() {
      await lifecycle.db.delete()
      await forgetVisit(storage, url, user)
    },
  })
  lifecycle.committed.on(outcome => {
    if (outcome.hasWritten) link.wake()
  })
  lifecycle.ended.on(error => {
    if (errors.end(error)) void core.close()
  })
  accountErased.on(() => void core.accountErased(erased('account-erased')).catch(report))
  return new Kith(core)
}

/** The connection: this client's own, or the one that its tabs share. */
async function connect(
  { tabs, clock, randomness, WebSocket, firstToken }: Parts,
  lifecycle: Lifecycle,
  shown: Shown,
  host: LinkHost,
  errors: ErrorReporter,
  report: (error: unknown) => KithError,
): Promise<{ link: DeviceLink; close(closeStore: () => Promise<void>): Promise<void> }> {
  const begin = async (isFirst: boolean): Promise<void> => {
    if (isFirst) await dropFetched(lifecycle)
    await retryRefused(lifecycle, randomness)
  }
  if (!tabs) {
    // A device can also open on a full disk. The error is reported when the app can listen.
    await begin(true).catch((error: unknown) => void clock.after(0, () => report(error)))
    return { link: new ConnectionManager(host, firstToken), close: closeStore => closeStore() }
  }
  return share({
    ...{ store: lifecycle, shown, clock, randomness, platform: tabs, tab: newNonce(randomness), begin, failed: report },
    newLink: ({ fence, lease, setStatus }, others) => {
      const own: LinkHost = {
        ...host,
        setStatus,
        openStore: async () => fence(await lifecycle.openStore()),
        WebSocket: guardedSocket(WebSocket, lease),
        failed: error => {
          if (errors.tell(error)) others.tell({ type: 'error', error: plainError(error) })
        },
        showPresence: others.showPresence,
        received: async message => {
          others.tell({ type: 'message', message })
          await host.received(message)
        },
      }
      return new ConnectionManager(own, firstToken)
    },
  })
}
