import type { Logger } from 'pino'
import type { Clock } from '../clock.ts'
import type { CommitListener } from '../relations/commit.ts'
import type { EventRoom } from '../relations/event-room.ts'
import { type EventName, eventId, type StoredEvent } from '../relations/outbox.ts'
import type { Store } from '../relations/store.ts'
import { Claim, claimEveryMs } from './claim.ts'
import { Lines } from './lines.ts'
import { Outage } from './outage.ts'
import { Patience } from './patience.ts'
import { type Attempt, responseTimeoutMs, type Send } from './receiver.ts'

/** The number of users whose events are sent at a time. */
const mostAtOnce = 8
/** The number of events of a user that are sent in a row. Then they are removed together, and other users come first. */
const mostInRow = 16
/** How often the events are counted. */
const countEveryMs = 5_000
/** The number of events that are read together when the delivery begins. */
const eventsAtOnce = 1_000
/** The number of old events that one failure during an outage gives up. */
const givenUpAtOnce = 100

export interface CourierOptions {
  store: Store
  send: Send
  room: EventRoom
  clock: Clock
  log: Pick<Logger, 'warn' | 'error'>
  /** A failed event that is older than this is given up; by default a day. */
  giveUpMs?: number | undefined
}

/** The outcomes of deliveries, for the metrics. */
export interface CourierCounts {
  delivered: number
  failed: number
  /** The number at the last count. */
  waiting: number
  dead: number
}

/**
 * Delivers the events of the outbox to the app's receiver: at least once, and those of one user in their order. One node at a
 * time delivers. No commit waits for a delivery.
 *
 *   claim ─▶ lines of users ─▶ the first event of a line ─▶ send ─▶ delivered: the next one; removed in a batch
 *                                                               └▶ failed: the line waits, longer each time;
 *                                                                  old, and failing for long: a dead letter
 */
export class Courier {
  readonly counts: CourierCounts = { delivered: 0, failed: 0, waiting: 0, dead: 0 }
  readonly #options: CourierOptions
  readonly #claim: Claim
  readonly #patience: Patience
  readonly #lines = new Lines()
  readonly #outage = new Outage()
  /** By user: events that were delivered, but not removed yet, because the store refused that. They are not sent again. */
  readonly #delivered = new Map<string, EventName[]>()
  readonly #sending = new Set<Promise<void>>()
  readonly #ending = new AbortController()
  #isOpen = false
  /** The events that waited when the delivery began were read. */
  #isLoaded = false
  #cancelWake: () => void = () => undefined
  #stops: (() => void)[] = []
  #claiming: Promise<void> | undefined
  #counting: Promise<void> | undefined

  constructor(options: CourierOptions) {
    this.#options = options
    this.#claim = new Claim(options.store.outbox, options.clock)
    this.#patience = new Patience(options.clock, options.giveUpMs)
  }

  /** Starts to deliver. Resolves when it is known whether this node delivers. */
  async start(): Promise<void> {
    const { store, clock } = this.#options
    this.#isOpen = true
    const listener: CommitListener = {
      committed: commits => this.#heard(commits),
      // Everything is read again after the next claim.
      lost: () => {
        this.#claim.drop()
        this.#isLoaded = false
        // The names may belong to other events from now on.
        this.#delivered.clear()
      },
    }
    this.#stops = [
      store.onCommit(listener),
      clock.every(claimEveryMs, () => void this.#renew()),
      clock.every(countEveryMs, () => void this.#count()),
    ]
    await this.#count()
    await this.#renew()
  }

  /**
   * Aborts requests in progress: the next holder of the claim sends their events again. Resolves when nothing is running any
   * more.
   */
  async close(): Promise<void> {
    this.#isOpen = false
    for (const stop of this.#stops) stop()
    this.#cancelWake()
    this.#ending.abort()
    await Promise.all([this.#claiming, this.#counting, ...this.#sending])
    await this.#claim.release()
  }

  #heard(commits: Parameters<CommitListener['committed']>[0]): void {
    if (!this.#claim.isHeld) return
    let isNews = false
    for (const { lines } of commits) {
      for (const user of lines) this.#lines.add(user)
      isNews ||= lines.size > 0
    }
    if (isNews) this.#pump()
  }

  #renew(): Promise<void> {
    this.#claiming ??= this.#tryRenew()
      .catch((error: unknown) => this.#options.log.warn({ err: error }, 'the delivery of events could not be claimed'))
      .finally(() => {
        this.#claiming = undefined
      })
    return this.#claiming
  }

  async #tryRenew(): Promise<void> {
    await this.#claim.renew()
    if (!this.#isOpen) return
    if (!this.#claim.isHeld) {
      this.#lines.clear()
      this.#isLoaded = false
    } else if (!this.#isLoaded) {
      // If it fails, the next renewal repeats it.
      await this.#load()
      this.#isLoaded = this.#claim.isHeld
    }
    this.#pump()
  }

  /** Reads the waiting events. Later events are reported by commits. */
  async #load(): Promise<void> {
    for (let after: EventName | undefined, more = true; more && this.#isOpen; ) {
      const events: StoredEvent[] = await this.#options.store.outbox.waiting(after, eventsAtOnce)
      for (const { event } of events) this.#lines.add(event.line)
      after = events.at(-1)?.name
      more = events.length === eventsAtOnce
    }
  }

  #count(): Promise<void> {
    const { store, room, log } = this.#options
    this.#counting ??= store.outbox
      .count()
      .then(({ all, dead }) => {
        room.noteCount(all, all - dead)
        this.counts.waiting = all - dead
        this.counts.dead = dead
      })
      .catch((error: unknown) => log.warn({ err: error }, 'the events of the outbox could not be counted'))
      .finally(() => {
        this.#counting = undefined
      })
    return this.#counting
  }

  /** Sends what is due, within the limit of concurrent users. */
  #pump(): void {
    const { clock } = this.#options
    this.#cancelWake()
    while (this.#maySend()) {
      const user = this.#lines.take(clock.elapsed())
      if (user === undefined) break
      const sending = this.#deliver(user).finally(() => {
        this.#sending.delete(sending)
        this.#pump()
      })
      this.#sending.add(sending)
    }
    this.#wakeLater()
  }

  #maySend(): boolean {
    const isPaused = this.#options.clock.elapsed() < this.#outage.pausedUntilMs
    return this.#maySendNext() && !isPaused && this.#sending.size < this.#mostAtOnce
  }

  get #mostAtOnce(): number {
    return this.#outage.isOn ? 1 : mostAtOnce
  }

  #wakeLater(): void {
    const { clock } = this.#options
    const due = this.#lines.nextDueMs()
    // A delivery or claim in progress checks again at its end.
    if (due === undefined || !this.#maySendNext() || this.#sending.size >= this.#mostAtOnce) return
    const nowMs = clock.elapsed()
    const at = Math.max(due, this.#outage.pausedUntilMs, nowMs + 1)
    this.#cancelWake = clock.after(at - nowMs, () => this.#pump())
  }

  /** Sends some events of a user, until one fails. Never rejects. */
  async #deliver(user: string): Promise<void> {
    try {
      // First those that could not be removed before. While the store refuses that, nothing more is sent.
      await this.#removeDelivered(user)
      const last = await this.#sendSome(user)
      await this.#removeDelivered(user)
      if (last === 'more') this.#lines.putBack(user)
      else if (last === 'none') this.#lines.end(user)
    } catch (error) {
      this.#options.log.warn({ err: error }, 'events of the outbox could not be read or removed')
      this.#delay(user, { leastMs: 0, isOfReceiver: false })
    }
  }

  async #removeDelivered(user: string): Promise<void> {
    const removed = this.#delivered.get(user)
    if (!removed) return
    await this.#options.store.commit({ type: 'events', removed })
    this.#delivered.delete(user)
  }

  async #sendSome(user: string): Promise<'more' | 'none' | 'delayed'> {
    const { store, send } = this.#options
    const delivered: EventName[] = []
    let after: EventName | undefined
    while (delivered.length < mostInRow && this.#maySendNext()) {
      const { losses } = store
      // One at a time, so nothing is sent about an account that was erased meanwhile.
      const next = await store.outbox.next(user, after)
      if (!next) return 'none'
      const attempt = await send(next, this.#ending.signal)
      // The name may belong to another event now. What the store has is read after the next claim.
      if (store.losses !== losses) return 'more'
      if (!attempt.isDelivered) {
        if (this.#isOpen) await this.#failed(user, next, attempt)
        return 'delayed'
      }
      this.#succeeded(user)
      delivered.push(next.name)
      this.#delivered.set(user, delivered)
      after = next.name
    }
    return 'more'
  }

  #maySendNext(): boolean {
    return this.#isOpen && this.#claim.lasts(responseTimeoutMs)
  }

  #succeeded(user: string): void {
    this.counts.delivered++
    this.#lines.noteProgress(user)
    if (!this.#outage.end()) return
    this.#options.log.warn('the webhook receiver takes events again')
    this.#lines.resume()
  }

  async #failed(user: string, event: StoredEvent, attempt: Exclude<Attempt, { isDelivered: true }>): Promise<void> {
    const { store, log, clock } = this.#options
    const { reason, isOfReceiver, retryAfterMs } = attempt
    const nowMs = clock.elapsed()
    this.counts.failed++
    if (isOfReceiver && this.#outage.noteFailure(nowMs, retryAfterMs))
      log.warn({ reason }, 'the webhook receiver takes no events')
    const failingMs = this.#lines.noteFailure(user, nowMs)
    this.#delay(user, { leastMs: retryAfterMs, isOfReceiver })
    const old = this.#patience.isOver(failingMs) && this.#patience.isOld(event) ? [event] : []
    if (this.#patience.isOver(this.#outage.lastedMs(nowMs)))
      old.push(...(await store.outbox.waiting(undefined, givenUpAtOnce)).filter(one => this.#patience.isOld(one)))
    if (old.length === 0) return
    log.error({ event: eventId(event), events: old.length, reason }, 'events were given up: they are dead letters')
    await store.commit({ type: 'events', dead: old.map(({ name }) => ({ name, reason })) })
    // The user's next event need not wait because of the one that was given up.
    if (!isOfReceiver) this.#lines.putBack(user)
  }

  #delay(user: string, { leastMs, isOfReceiver }: { leastMs: number; isOfReceiver: boolean }): void {
    this.#lines.delay(user, { nowMs: this.#options.clock.elapsed(), leastMs, isOfReceiver })
  }
}
