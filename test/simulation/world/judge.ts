import { type Access, decodeFrame } from '@kith/shared/wire'
import { standing } from '../model/edits.ts'
import { couldBeSeen, fieldsSeen, isFed, levelsSeen, type Moment, mayTalk, toConfirm } from '../model/sight.ts'
import type { BackendCall } from './backend.ts'
import { Cursors } from './cursors.ts'
import type { Tab } from './device.ts'
import { idsOf, type UpdateIds } from './documents.ts'
import type { NetworkWatcher, Wire } from './network.ts'
import { PresenceJudge } from './presence-judge.ts'
import type { KnownEdit, Record } from './record.ts'
import { SessionJudge } from './session-judge.ts'

/** A value that occurs nowhere else, so that its bytes identify its owner wherever they appear. */
export interface Secret {
  owner: string
  kind: 'field' | 'label' | 'message'
  /** The level of a field. */
  level?: number
  field?: string
  /** The recipient of a message. */
  to?: string
  /** The edits that put it, once they are made. There is more than one if it was made again. */
  edits: KnownEdit[]
}

/** Long enough that random bytes do not match it by chance. */
const form = /<s(\d+)~>/g

function secretText(index: number): string {
  return `<s${index}~>`
}

interface Seen {
  /** The incarnation of the account that the device was welcomed to. */
  incarnation: number | undefined
  /**
   * The state of the store when each frame in flight was handed over: the position that it knew of, the position on its disk,
   * and the opening of the store.
   */
  positions: { known: number; written: number; opening: number }[]
  /** What the device sent, and how much of it before each barrier. */
  sent: { document: 'roster' | 'profile'; ids: UpdateIds }[]
  barriers: Map<number, number>
  /** How much of it acknowledged barriers cover. */
  answeredUpTo: number
  /** The position with which the device reconnected, until it is caught up. */
  since: number | undefined
  fetched: Set<string>
}

/** Receives every frame, for debugging a story. */
export type Tell = (way: string, frame: object) => void

/** Observes every frame: the data that the server hands over, and the data that it confirms as on disk. */
export class Judge implements NetworkWatcher {
  readonly record: Record
  readonly secrets: Secret[] = []
  /** Frames that moved a device's cursor, and their positions. They may include data that a slow disk has not confirmed. */
  readonly arrivals: { tab: Tab; from: number; position: number; cursor: Uint8Array }[] = []
  readonly #wrong: (what: string) => void
  readonly #seen = new WeakMap<Wire, Seen>()
  readonly #position: (wire: Wire) => number
  readonly #judgedAt: (wire: Wire) => number
  readonly #isBehindLoss: (wire: Wire) => boolean
  readonly #incarnationOf: (user: string, name: Uint8Array) => number
  readonly #tell: Tell | undefined
  readonly #presence: PresenceJudge
  readonly #sessions: SessionJudge
  readonly cursors: Cursors = new Cursors()
  /**
   * For each author of changes, the position up to which the author knows that the changes are on disk. If such a change has
   * taken access away, no server may use a state before it [V4].
   */
  readonly #told = new Map<string, number>()

  constructor(options: {
    record: Record
    /** The position of the last commit that the server at the other end has reported. */
    position: (wire: Wire) => number
    /** The position of the state by which the server's frames are judged. */
    judgedAt: (wire: Wire) => number
    /** The server's responses belong to a history that was lost, as if it had sent them before the loss. */
    isBehindLoss: (wire: Wire) => boolean
    /** The number of erasures before the incarnation that the server gives this name. */
    incarnationOf: (user: string, name: Uint8Array) => number
    nowMs: () => number
    wrong: (what: string) => void
    tell?: Tell | undefined
  }) {
    this.record = options.record
    this.#position = options.position
    this.#judgedAt = options.judgedAt
    this.#isBehindLoss = options.isBehindLoss
    this.#incarnationOf = options.incarnationOf
    this.#wrong = options.wrong
    this.#tell = options.tell
    this.#presence = new PresenceJudge(options)
    this.#sessions = new SessionJudge(options)
  }

  /** The backend's call was answered. */
  answered({ method, path, askedAtMs }: BackendCall): void {
    const revoked = /^\/v1\/users\/([^/]+)(\/sessions\/revoke)?$/.exec(path)
    if (revoked && method !== 'PUT') this.#sessions.revoked(revoked[1] as string, askedAtMs)
    const position = this.record.lastOf(path)
    this.#tellOf(this.record.authorAt(position) ?? path, position)
  }

  /** The history ends at a position from now on. */
  forget(position: number): void {
    for (const [who, told] of this.#told) this.#told.set(who, Math.min(told, position))
    this.#sessions.forget()
  }

  #tellOf(who: string, position: number): void {
    this.#told.set(who, Math.max(position, this.#told.get(who) ?? 0))
  }

  newSecret(secret: Omit<Secret, 'edits'>): string {
    return secretText(this.secrets.push({ ...secret, edits: [] }) - 1)
  }

  /** The secrets that occur in some bytes. */
  secretsIn(bytes: Uint8Array | string): Secret[] {
    const text = typeof bytes === 'string' ? bytes : Buffer.from(bytes).toString('latin1')
    return [...text.matchAll(form)].flatMap(([, index]) => this.secrets[Number(index)] ?? [])
  }

  handed(wire: Wire, bytes: Uint8Array): void {
    const seen = this.#of(wire)
    seen.positions.push({ known: this.#position(wire), written: this.record.position, opening: this.cursors.opening })
    const { user } = wire.caller as Tab
    const position = this.#judgedAt(wire)
    const moment = this.record.at(position) ?? this.record.now
    for (const secret of this.secretsIn(bytes)) {
      const wrong = secret.owner === user ? this.#toOwner(secret, position) : this.#toOther(secret, user, position)
      if (wrong) this.#wrong(`${user} was handed ${this.#describe(secret)}: ${wrong}`)
    }
    const frame = decodeFrame(bytes)
    this.#tell?.(`server → ${nameOf(wire)}`, frame)
    this.#presence.handed(wire, frame, seen.fetched)
    this.#sessions.handed(wire, frame)
    if (frame.type === 'caughtUp') seen.since = undefined
    if (frame.type === 'welcome' && frame.isFresh !== (seen.since === undefined)) {
      this.#wrong(`${user} was welcomed ${frame.isFresh ? 'as fresh' : 'as known'} at ${seen.since} [F1]`)
    }
    if (frame.type === 'welcome' && !frame.isErased) {
      const incarnation = new Uint8Array(frame.incarnation)
      seen.incarnation = this.#incarnationOf(user, incarnation)
      this.record.welcomedTo(user, seen.incarnation, incarnation)
    }
    if (frame.type === 'rosterSync' && frame.step !== 'step1')
      this.#tellOf(user, this.record.firstAt(user, 'roster', idsOf(frame.payload)))
    if (frame.type === 'access') this.#judgeAccess(frame, user, moment)
    if (frame.type === 'access' || frame.type === 'profile' || frame.type === 'difference')
      this.#judgeNews(seen, frame.owner, user)
    if (frame.type !== 'reached') return
    const [from, upTo] = [seen.answeredUpTo, seen.barriers.get(frame.id) ?? 0]
    seen.answeredUpTo = upTo
    // The frame says whether everything since the last barrier was accepted.
    if (!frame.isComplete || this.#isBehindLoss(wire)) return
    const answered = seen.sent.slice(from, upTo)
    for (const { document, ids } of answered) this.#tellOf(user, this.record.firstAt(user, document, ids))
    const missing = answered.filter(({ document, ids }) => !this.record.isOnDisk(user, document, ids, position))
    if (missing.length > 0)
      this.#wrong(`${user} was answered a barrier before ${missing[0]?.document} was on disk [D2][D3]`)
  }

  received(wire: Wire, bytes: Uint8Array): void {
    const seen = this.#of(wire)
    const frame = decodeFrame(bytes)
    this.#tell?.(`${nameOf(wire)} → server`, frame)
    this.#presence.received(wire, frame)
    // A device that was away: until it is caught up, it must receive only news [F1].
    if (frame.type === 'hello') {
      seen.since = this.cursors.positionOf(frame.cursor)
      for (const owner of frame.owners ?? []) seen.fetched.add(owner)
    }
    if (frame.type === 'fetch') seen.fetched.add(frame.owner)
    if (frame.type === 'barrier') seen.barriers.set(frame.id, seen.sent.length)
    if ((frame.type === 'rosterSync' || frame.type === 'ownProfile') && frame.step !== 'step1') {
      const document = frame.type === 'rosterSync' ? 'roster' : 'profile'
      seen.sent.push({ document, ids: idsOf(frame.payload) })
    }
  }

  arrived(wire: Wire, bytes: Uint8Array): void {
    const { known, written, opening } = this.#of(wire).positions.shift() ?? { known: 0, written: 0, opening: 0 }
    const frame = decodeFrame(bytes)
    const cursor = 'cursor' in frame ? frame.cursor : new Uint8Array()
    const tab = wire.caller as Tab
    // Its messages have been answered, so by now it has stored which account it belongs to [D7].
    if (frame.type === 'reached') tab.device.incarnation = this.#of(wire).incarnation
    if (cursor.length === 0) return
    tab.device.firstPosition ??= known
    this.cursors.given(cursor, opening, known)
    this.arrivals.push({ tab, from: known, position: written, cursor: new Uint8Array(cursor) })
  }

  /** Existing levels, and that a user joined, are sent only for users who show something [V8]. */
  #judgeAccess({ owner, levels, hasJustJoined, changedHands }: Access, user: string, moment: Moment): void {
    if (owner === user) return
    const incarnation = toConfirm(moment, user, owner)
    if (changedHands !== undefined && incarnation !== undefined) this.record.named(owner, incarnation, changedHands)
    if ((changedHands === undefined) !== (incarnation === undefined)) {
      this.#wrong(`${user} was told ${changedHands ?? 'nothing'} of ${owner}'s incarnation ${incarnation} [D7]`)
    }
    const seen = levelsSeen(moment, owner, user)
    if (levels.some(level => !seen.has(level)) || (hasJustJoined && seen.size === 0)) {
      this.#wrong(`${user} was told of ${owner}'s levels ${levels.join()}, and may see ${[...seen].join()} [V8]`)
    }
  }

  #judgeNews({ since, fetched }: Seen, owner: string, user: string): void {
    if (since === undefined || fetched.has(owner)) return
    const text = (position: number): string => {
      const { fields, isDue } = dueTo(this.record, position, owner, user)
      return JSON.stringify([
        ...fields,
        isDue,
        toConfirm(this.record.at(position) ?? this.record.now, user, owner),
        [...levelsSeen(this.record.at(position) ?? this.record.now, owner, user)],
      ])
    }
    for (let position = since + 1; position <= this.record.position; position++) {
      if (this.record.at(position) && text(position) !== text(since)) return
    }
    this.#wrong(`${user} was told of ${owner} again, of whom nothing changed since ${since} [F1]`)
  }

  #of(wire: Wire): Seen {
    const known = this.#seen.get(wire)
    if (known) return known
    const seen: Seen = {
      incarnation: undefined,
      positions: [],
      sent: [],
      barriers: new Map(),
      answeredUpTo: 0,
      since: undefined,
      fetched: new Set(),
    }
    this.#seen.set(wire, seen)
    return seen
  }

  #describe({ owner, kind, level, field }: Secret): string {
    return kind === 'field' ? `${field} of ${owner} at level ${level}` : `a ${kind} of ${owner}`
  }

  /** An owner's device receives what stands, and nothing that was erased meanwhile [V5]. */
  #toOwner(secret: Secret, position: number): string | undefined {
    if (secret.kind !== 'field' || this.stands(secret) || this.stands(secret, position)) return undefined
    return 'it is erased [V5]'
  }

  #toOther(secret: Secret, viewer: string, position: number): string | undefined {
    const now = this.record.at(position) ?? this.record.now
    if (secret.kind === 'message') {
      if (secret.to !== viewer) return 'it was for somebody else'
      return mayTalk(now, secret.owner, viewer) ? undefined : 'they may not communicate [V1][V2]'
    }
    if (secret.kind === 'label') return 'it is private'
    const { owner, level = 0, edits } = secret
    if (!levelsSeen(now, owner, viewer).has(level)) return 'it may not be seen by what is on disk [V4]'
    if (this.#wasTakenAway(secret, viewer, position)) return 'it was taken away, and that was answered [V4]'
    if (!this.#isCurrent(secret, now)) return 'it is not what stands on disk [V5]'
    if (edits.length === 0) return 'no device has made it safe yet [D1]'
    const { refused } = this.record
    if (!edits.some(edit => couldBeSeen(this.record.editsOf(owner), edit, level, viewer, refused)))
      return 'what went before must take effect first [V6]'
    return undefined
  }

  /** Whether a later state denies it, and the author of that change knows that it is on disk. */
  #wasTakenAway({ owner, level = 0 }: Secret, viewer: string, position: number): boolean {
    for (let later = position + 1; later <= this.record.position; later++) {
      const [moment, author] = [this.record.at(later), this.record.authorAt(later) ?? '']
      const isTold = (this.#told.get(author) ?? 0) >= later
      if (isTold && moment && !levelsSeen(moment, owner, viewer).has(level)) return true
    }
    return false
  }

  /** Whether a field's value has not been erased on disk. All concurrent sets stand, though one is shown. */
  stands({ edits, owner, level, field }: Secret, position: number = this.record.position): boolean {
    const onDisk = edits.length > 0 ? this.record.includedAt(owner, position) : []
    const own = onDisk.filter(edit => edits.includes(edit))
    if (own.length === 0) return true // It isn't on disk yet.
    return standing(onDisk, `field ${level} ${field}`, true).some(edit => own.includes(edit))
  }

  #isCurrent(secret: Secret, now: Moment): boolean {
    const facts = now.accounts.get(secret.owner)?.facts
    const value = facts?.get(`field ${secret.level} ${secret.field}`)
    return typeof value === 'string' && this.secretsIn(value).includes(secret)
  }
}

/** What a viewer's device must hold and may hold of an owner at a position [V7][F1]. */
export function dueTo(
  record: Record,
  position: number,
  owner: string,
  viewer: string,
): { fields: Map<string, unknown>; isDue: boolean } {
  const moment = record.at(position) ?? record.now
  return { fields: fieldsSeen(moment, owner, viewer), isDue: isFed(moment, owner, viewer) }
}

function nameOf({ caller, id }: Wire): string {
  return `${(caller as Tab).device.name} (connection ${id})`
}
