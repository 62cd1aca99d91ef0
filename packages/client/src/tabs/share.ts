import { KithError } from '@kith/shared'
import type { KithCore } from '../api/core.ts'
import type { Clock, Randomness } from '../clock.ts'
import type { KithDatabase } from '../database/schema.ts'
import type { Store } from '../database/store.ts'
import type { Outcome } from '../database/work.ts'
import type { PresenceByUser } from '../presence/presence.ts'
import type { TabPlatform } from './lock.ts'
import { errorFrom, listen, type Notice, plainError, tell } from './notices.ts'
import { type Held, type OwnLink, SharedLink } from './shared-link.ts'
import { TabsWatching } from './watching.ts'

export interface SharePort {
  readonly db: KithDatabase
  readonly store: Store
  readonly clock: Clock
  readonly randomness: Randomness
  readonly platform: TabPlatform
  /** This tab's own name among the tabs. */
  readonly tab: string
  readonly kith: () => KithCore | undefined
  newLink(held: Held): OwnLink
  /** What is due once for all tabs. */
  begin(): Promise<void>
  failed(error: unknown): KithError
}

/** What one tab shares with the others. */
export interface Sharing {
  readonly link: SharedLink
  tell(notice: Notice): void
  tellError(error: KithError): void
  /** The database is a new one. */
  restored(): Promise<void>
  /** What the socket of this tab knows. */
  showPresence(known: PresenceByUser): void
  close(): Promise<void>
}

/** More people than this in one notice, and it says "many". */
const mostNamed = 200

/** Makes this client one of several tabs on one database: what each writes the others hear of, and one has the socket. */
export async function share(port: SharePort): Promise<Sharing> {
  const { db, store, clock, randomness, tab, kith } = port
  const { locks, openChannel } = port.platform
  let link: SharedLink | undefined
  let last: Promise<unknown> = Promise.resolve()
  const inOrder = (work: () => Promise<unknown>): void => {
    last = last.then(work).catch((error: unknown) => {
      const isClosing = error instanceof KithError && error.code === 'closed'
      if (db.isOpen() && !isClosing) port.failed(error)
    })
  }

  const hear = async (notice: Notice): Promise<void> => {
    switch (notice.type) {
      case 'committed':
        await store.refresh()
        await kith()?.committedElsewhere(notice.ids, notice.happenings)
        if (notice.hasWritten) link?.wake()
        return
      case 'message':
        kith()?.showMessage(notice.message)
        return
      case 'error':
        kith()?.failed(errorFrom(notice.error))
        return
      case 'watching':
        watching.heardWanted(notice.tab, notice.users)
        return
      case 'whoWatches':
        watching.heardQuestion()
        link?.lookAgain()
        return
      case 'presence':
        watching.heardKnown(notice.known)
    }
  }
  const lockName = `kith:${db.name}`
  const watching = new TabsWatching({
    ...{ tab, locks, lockName },
    tell: notice =>
      inOrder(async () => {
        const told = db.isOpen() ? notice() : undefined
        if (told) await tell(db, tab, told)
      }),
    show: known => kith()?.presences.show(known),
  })
  const stopListening = await listen(db, tab, notice => inOrder(() => hear(notice)))
  await store.refresh() // What was written before this tab listened.

  store.shareWith(async (database, { people, happenings, hasWritten, isChanged, isOwnProfileChanged }: Outcome) => {
    const isNews = people.size > 0 || happenings.length > 0 || hasWritten || isChanged || isOwnProfileChanged
    const ids = people.size > mostNamed ? 'many' : [...people.keys()]
    if (isNews) await tell(database, tab, { type: 'committed', ids, happenings, hasWritten })
  })
  link = new SharedLink({
    ...{ db, store, clock, randomness, locks, lockName, channel: openChannel(lockName), tab, watching },
    newLink: held => port.newLink(held),
    tookOver: () => port.begin(),
    setStatus: status => kith()?.setStatus(status),
    failed: error => port.failed(error),
  })
  return {
    link,
    showPresence: known => watching.show(known),
    tell: notice => inOrder(() => (db.isOpen() ? tell(db, tab, notice) : Promise.resolve())),
    tellError: error =>
      inOrder(() => (db.isOpen() ? tell(db, tab, { type: 'error', error: plainError(error) }) : Promise.resolve())),
    async restored() {
      watching.restored()
      await link?.restored()
    },
    async close() {
      stopListening()
      await last
    },
  }
}
