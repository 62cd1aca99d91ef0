import type { Frame } from '@kith/shared/wire'
import { isFed, mayKnowPresence } from '../model/sight.ts'
import type { Tab } from './device.ts'
import type { Wire } from './network.ts'
import type { Record } from './record.ts'

/** A device is notified of one owner at most once in this time, except when the device may no longer know the presence. */
const restMs = 10_000

/** Judges the presences that the server sends, at the moment of sending. */
export class PresenceJudge {
  readonly #record: Record
  readonly #nowMs: () => number
  readonly #wrong: (what: string) => void
  /** Users of whom a device has said hello. */
  readonly #greeted = new Set<string>()
  /** Connections on which a device was welcomed, by user. From then on the device counts as connected. */
  readonly #welcomed = new Map<string, Wire[]>()
  /** The users whom each device watches, and when it was last notified of their presence. */
  readonly #watched = new WeakMap<Wire, Map<string, number>>()

  constructor(options: { record: Record; nowMs: () => number; wrong: (what: string) => void }) {
    this.#record = options.record
    this.#nowMs = options.nowMs
    this.#wrong = options.wrong
  }

  received(wire: Wire, frame: Frame | { type: 'malformed' }): void {
    const { user } = wire.caller as Tab
    if (frame.type === 'hello') this.#greeted.add(user)
    if (frame.type !== 'watch') return
    const before = this.#watched.get(wire)
    this.#watched.set(wire, new Map(frame.owners.map(owner => [owner, before?.get(owner) ?? -Infinity])))
  }

  /** `fetched`: the users whom this device has fetched on this connection. */
  handed(wire: Wire, frame: Frame | { type: 'malformed' }, fetched: ReadonlySet<string>): void {
    const { user } = wire.caller as Tab
    if (frame.type === 'welcome') this.#welcomed.set(user, [...this.#here(user), wire])
    if (frame.type !== 'presence') return
    const { owner, state } = frame
    const wrong = (what: string): void => this.#wrong(`${user} was told that ${owner} is ${state.is}: ${what}`)
    const watched = this.#watched.get(wire)
    const toldAtMs = watched?.get(owner)
    if (!watched || toldAtMs === undefined) return wrong('nobody asked [F1]')
    if (state.is === 'unknown') return
    if (!mayKnowPresence(this.#record.now, owner, user))
      wrong('it may not be known by what is on disk [V1][V2][V3][V8]')
    if (!isFed(this.#record.now, owner, user) && !fetched.has(owner)) wrong('it was not looked up [S4]')
    if (this.#nowMs() - toldAtMs < restMs) wrong('again, too soon [S3]')
    watched.set(owner, this.#nowMs())
    if (state.is === 'offline' && this.#here(owner).length > 0) wrong('a device of theirs is here')
    if (state.is === 'online' && !this.#greeted.has(owner)) wrong('no device of theirs ever was')
  }

  #here(user: string): Wire[] {
    return (this.#welcomed.get(user) ?? []).filter(wire => !wire.hasServerEnded && !wire.isClosedByServer)
  }
}

/** What the app in each tab shows at the end, when every user who has a device is connected. */
export function checkPresences(record: Record, tabs: readonly Tab[], wrong: string[]): void {
  for (const tab of tabs) {
    for (const [owner, shown] of tab.presences) {
      const { name } = tab.device
      const mayKnow = mayKnowPresence(record.now, owner, tab.user)
      if (shown && !mayKnow) wrong.push(`${name} shows whether ${owner} is online, and may not [V8]`)
      // The device may or may not be notified of an owner who was only looked at, depending on when that was.
      if (!mayKnow || !isFed(record.now, owner, tab.user)) continue
      const isHere = tabs.some(({ user, kith }) => user === owner && kith?.status === 'synced')
      if (shown?.isOnline !== isHere) wrong.push(`${name} shows ${JSON.stringify(shown)} of ${owner}: ${isHere} [V3]`)
    }
  }
}
