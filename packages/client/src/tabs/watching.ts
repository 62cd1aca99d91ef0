import type { Presence, PresenceByUser } from '../presence/presence.ts'
import { mostWatched } from '../presence/presences.ts'
import type { LinkPort } from '../sync/port.ts'
import { holdLock, type LockManagerLike } from './lock.ts'
import type { Notice } from './tab-messages.ts'

export interface TabsWatchingPort {
  /** This tab's own name among the tabs. */
  readonly tab: string
  readonly locks: LockManagerLike
  readonly lockName: string
  /** Sends a notice to the other tabs in turn; none if `notice` returns `undefined`. */
  tell(notice: () => Notice | undefined): void
  /** Shows all known presence to the app in this tab. */
  show(known: PresenceByUser): void
}

/** The users that another tab watches. */
interface Wanted {
  users: readonly string[]
  /** Stops waiting for the end of that tab. */
  forget(): void
}

/**
 * The users that the tabs of a device watch. Each tab tells the tab that has the socket, which watches them all, and sends the
 * known presence to the tabs that asked. A tab that ends, even by a crash, releases a lock, and with it its watched users.
 */
export class TabsWatching {
  readonly #port: TabsWatchingPort
  #link: LinkPort | undefined
  #own: readonly string[] = []
  readonly #others: Map<string, Wanted> = new Map()
  #known: PresenceByUser = new Map()
  /** Whether other tabs hold presence that this tab sent. */
  #hasTold = false
  #isTelling = false
  #release: (() => void) | undefined

  constructor(port: TabsWatchingPort) {
    this.#port = port
  }

  /** This tab's app watches these users from now on. */
  want(users: readonly string[]): void {
    this.#own = users
    if (this.#link) this.#watch()
    else this.#tellWanted()
  }

  /** This tab has the socket from now on. The presence that the previous tab knew is discarded. */
  takeOver(link: LinkPort): void {
    this.#link = link
    this.#port.show(new Map())
    this.#watch()
    this.#port.tell(() => ({ type: 'whoWatches' }))
  }

  /** Another tab has taken the socket. The presence known here is discarded. */
  stepDown(): void {
    this.#link = undefined
    for (const { forget } of this.#others.values()) forget()
    this.#others.clear()
    this.#known = new Map()
    this.#hasTold = false
    this.#port.show(new Map())
    if (this.#own.length > 0) this.#tellWanted()
  }

  /** Shows the presence that this tab's socket knows, and no other. */
  show(known: PresenceByUser): void {
    this.#known = known
    this.#port.show(known)
    this.#tellKnown()
  }

  /** Another tab has the socket now. */
  heardQuestion(): void {
    if (this.#link) return
    this.#port.show(new Map())
    if (this.#own.length > 0) this.#tellWanted()
  }

  heardWanted(tab: string, users: readonly string[]): void {
    if (!this.#link) return
    const before = this.#others.get(tab)
    this.#others.delete(tab) // The newest is last.
    if (users.length > 0) {
      const forget = before?.forget ?? holdLock(this.#port.locks, this.#lockOf(tab), () => this.heardWanted(tab, []))
      this.#others.set(tab, { users, forget })
    } else before?.forget()
    this.#watch()
    this.#tellKnown()
  }

  heardKnown(known: PresenceByUser): void {
    if (!this.#link) this.#port.show(known)
  }

  close(): void {
    for (const { forget } of this.#others.values()) forget()
    if (!this.#link && this.#own.length > 0) this.want([])
    this.#release?.()
  }

  #watch(): void {
    const others = [...this.#others.values()].reverse().flatMap(({ users }) => users)
    this.#link?.watch([...new Set([...this.#own, ...others])].slice(0, mostWatched))
  }

  #tellWanted(): void {
    const { tab, locks } = this.#port
    this.#release ??= holdLock(locks, this.#lockOf(tab), () => undefined)
    const users = this.#own
    this.#port.tell(() => ({ type: 'watching', tab, users }))
  }

  /** Sends only presence that other tabs asked for, and all of it each time. */
  #tellKnown(): void {
    if (this.#isTelling) return
    this.#isTelling = true
    this.#port.tell(() => {
      this.#isTelling = false
      const known = this.#knownToOthers()
      if (known.size === 0 && !this.#hasTold) return undefined
      this.#hasTold = known.size > 0
      return { type: 'presence', known }
    })
  }

  #knownToOthers(): Map<string, Presence> {
    const wanted = new Set([...this.#others.values()].flatMap(({ users }) => users))
    return new Map([...this.#known].filter(([user]) => wanted.has(user)))
  }

  #lockOf(tab: string): string {
    return `${this.#port.lockName}:${tab}`
  }
}
