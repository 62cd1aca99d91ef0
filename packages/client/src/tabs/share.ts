import type { KithError } from '@kith/shared'
import type { Shown } from '../api/shown.ts'
import type { Clock, Randomness } from '../clock.ts'
import type { DeviceStore } from '../database/store.ts'
import type { Outcome } from '../database/work.ts'
import type { PresenceByUser } from '../presence/presence.ts'
import type { TabPlatform } from './lock.ts'
import { errorFrom, listen, type Notice, tell } from './notices.ts'
import { SharedLink } from './shared-link.ts'
import type { Held, OwnLink } from './shared-link-port.ts'
import { TabsWatching } from './watching.ts'

export interface SharePort {
  readonly store: DeviceStore
  readonly shown: Shown
  readonly clock: Clock
  readonly randomness: Randomness
  readonly platform: TabPlatform
  /** This tab's own name among the tabs. */
  readonly tab: string
  newLink(held: Held, others: OtherTabs): OwnLink
  /** What is due once for all tabs. */
  begin(): Promise<void>
  /** Reports what no call waits for, unless the client is closing, and returns it as the one error class. */
  failed(error: unknown): KithError
}

/** What the connection of this tab tells the other tabs. */
interface OtherTabs {
  tell(notice: Notice): void
  showPresence(known: PresenceByUser): void
}

/** What one tab shares with the others. */
export interface Sharing {
  readonly link: SharedLink
  close(): Promise<void>
}

/** More people than this in one notice, and it says "many". */
const mostNamed = 200

/** Makes this client one of several tabs on one database: what each writes the others hear of, and one has the socket. */
export async function share(port: SharePort): Promise<Sharing> {
  const { store, shown, clock, randomness, tab } = port
  const { locks, openChannel } = port.platform
  const inOrder = queue(error => port.failed(error))
  const tellNow = (notice: Notice): Promise<void> => store.use(db => tell(db, tab, notice))
  const others: OtherTabs = {
    tell: notice => void inOrder(() => tellNow(notice)),
    showPresence: known => watching.show(known),
  }
  const lockName = `kith:${store.db.name}`
  const watching = new TabsWatching({
    ...{ tab, locks, lockName },
    tell: notice =>
      void inOrder(async () => {
        const told = notice()
        if (told) await tellNow(told)
      }),
    show: known => shown.presences.show(known),
  })
  const link = new SharedLink({
    ...{ store, clock, randomness, locks, lockName, channel: openChannel(lockName), tab, watching },
    newLink: held => port.newLink(held, others),
    tookOver: () => port.begin(),
    setStatus: status => shown.setStatus(status),
    failed: error => port.failed(error),
  })

  const hear = async (notice: Notice): Promise<void> => {
    switch (notice.type) {
      case 'committed':
        await store.refresh()
        await shown.committedElsewhere(notice.ids, notice.happenings)
        if (notice.hasWritten) link.wake()
        return
      case 'message':
        shown.showMessage(notice.message)
        return
      case 'error':
        shown.failed(errorFrom(notice.error))
        return
      case 'watching':
        watching.heardWanted(notice.tab, notice.users)
        return
      case 'whoWatches':
        watching.heardQuestion()
        link.lookAgain()
        return
      case 'presence':
        watching.heardKnown(notice.known)
    }
  }
  const stopListening = await listen(
    store,
    tab,
    notice => void inOrder(() => hear(notice)),
    error => port.failed(error),
  )
  await store.refresh() // What was written before this tab listened.

  store.shareWith(async (db, { people, happenings, hasWritten, isChanged, isOwnProfileChanged }: Outcome) => {
    const isNews = people.size > 0 || happenings.length > 0 || hasWritten || isChanged || isOwnProfileChanged
    const ids = people.size > mostNamed ? 'many' : [...people.keys()]
    if (isNews) await tell(db, tab, { type: 'committed', ids, happenings, hasWritten })
  })
  // Another database has none of the notices, and does not know what the app wants. Each row may have come into it here.
  store.onOpen(isAnother => {
    if (!isAnother) return
    others.tell({ type: 'committed', ids: 'many', happenings: [], hasWritten: true })
    watching.repeat()
    link.noteWish().catch((error: unknown) => port.failed(error))
  })
  link.begin()
  return {
    link,
    async close() {
      stopListening()
      await inOrder(async () => undefined)
    },
  }
}

/** Runs work one piece after the other, and reports what fails. */
function queue(failed: (error: unknown) => void): (work: () => Promise<unknown>) => Promise<unknown> {
  const state = { last: Promise.resolve() as Promise<unknown> }
  return work => {
    state.last = state.last.then(work).catch(failed)
    return state.last
  }
}
