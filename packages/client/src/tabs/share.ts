import type { KithError } from '@kith/shared'
import type { Shown } from '../api/shown.ts'
import type { Clock, Randomness } from '../clock.ts'
import type { DeviceStore } from '../database/store.ts'
import type { PresenceByUser } from '../presence/presence.ts'
import type { TabPlatform } from './lock.ts'
import { SharedLink } from './shared-link.ts'
import type { Held, OwnLink } from './shared-link-port.ts'
import { errorFrom, isNotice, type Notice, type TabMessage } from './tab-messages.ts'
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
  /** Work that is needed once for all tabs. `isFirst`: no other tab was open before. */
  begin(isFirst: boolean): Promise<void>
  /** Reports an error for which no call waits, unless the client is closing. Returns it as a KithError. */
  failed(error: unknown): KithError
}

/** The messages of this tab's connection to the other tabs. */
interface OtherTabs {
  tell(notice: Notice): void
  showPresence(known: PresenceByUser): void
}

/** What one tab shares with the others. */
export interface Sharing {
  readonly link: SharedLink
  /** Ends sharing after `closeStore`, whose last changes the other tabs are notified of. */
  close(closeStore: () => Promise<void>): Promise<void>
}

/** If a notice is about more people than this, it says "many". */
const mostNamed = 200

/** Makes this client one of several tabs on one database: tabs are notified of each other's writes, and one has the socket. */
export async function share(port: SharePort): Promise<Sharing> {
  const { store, shown, clock, randomness, tab } = port
  const { locks, openChannel } = port.platform
  const inOrder = queue(error => port.failed(error))
  const lockName = `kith:${store.db.name}`
  const channel = openChannel(`${lockName}:messages`)
  const post = (message: TabMessage): void => channel.postMessage(message)
  const others: OtherTabs = { tell: post, showPresence: known => watching.show(known) }
  const watching = new TabsWatching({
    ...{ tab, locks, lockName },
    tell: notice =>
      void inOrder(async () => {
        const told = notice()
        if (told) post(told)
      }),
    show: known => shown.presences.show(known),
  })
  const link = new SharedLink({
    ...{ store, clock, randomness, locks, lockName, channel: openChannel(lockName), tab, watching, post },
    newLink: held => port.newLink(held, others),
    tookOver: isFirst => port.begin(isFirst),
    setStatus: status => shown.setStatus(status),
    failed: error => port.failed(error),
  })

  const hear = async (message: Notice): Promise<void> => {
    switch (message.type) {
      case 'changing':
        try {
          await store.refresh()
        } finally {
          // Rows can be read even if this tab cannot write.
          await shown.committedElsewhere(message.ids, [])
          if (message.hasWritten) link.wake()
        }
        return
      case 'happened':
        return shown.committedElsewhere([], message.happenings)
      case 'message':
        return shown.showMessage(message.message)
      case 'error':
        return shown.failed(errorFrom(message.error))
      case 'watching':
        return watching.heardWanted(message.tab, message.users)
      case 'whoWatches':
        watching.heardQuestion()
        return link.lookAgain()
      case 'presence':
        watching.heardKnown(message.known)
    }
  }
  channel.onmessage = ({ data }) => {
    const message = data as TabMessage
    if (isNotice(message)) void inOrder(() => hear(message))
    // Notices that arrived before the answer are shown first.
    else if (message.type === 'answer') void inOrder(async () => link.hear(message))
    else link.hear(message)
  }
  await store.refresh() // Changes that were written before this tab listened.

  store.changing.on(({ people, happenings, hasWritten, isChanged, isOwnProfileChanged }) => {
    const isNews = people.size > 0 || happenings.length > 0 || hasWritten || isChanged || isOwnProfileChanged
    if (isNews) post({ type: 'changing', ids: people.size > mostNamed ? 'many' : [...people.keys()], hasWritten })
  })
  store.committed.on(({ happenings }) => {
    if (happenings.length > 0) post({ type: 'happened', happenings })
  })
  // Each row may have moved to another database, which does not know whether the app wants to be connected.
  store.onOpen(isAnother => {
    if (!isAnother) return
    post({ type: 'changing', ids: 'many', hasWritten: true })
    link.noteWish().catch((error: unknown) => port.failed(error))
  })
  link.begin()
  return {
    link,
    async close(closeStore) {
      channel.onmessage = null
      await inOrder(async () => undefined)
      await closeStore()
      channel.close()
    },
  }
}

/** Runs work one piece after the other, and reports errors. */
function queue(failed: (error: unknown) => void): (work: () => Promise<unknown>) => Promise<unknown> {
  const state = { last: Promise.resolve() as Promise<unknown> }
  return work => {
    state.last = state.last.then(work).catch(failed)
    return state.last
  }
}
