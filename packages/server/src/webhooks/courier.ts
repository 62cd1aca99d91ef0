import { randomUUID } from 'node:crypto'
import type { Logger } from 'pino'
import type { Clock } from '../clock.ts'
import type { CommitListener } from '../relations/commit.ts'
import type { EventRoom } from '../relations/event-room.ts'
import { type EventName, eventId, type StoredEvent } from '../relations/outbox.ts'
import type { Store } from '../relations/store.ts'
import { Lines, waitMsAfter } from './lines.ts'
import { type Attempt, responseTimeoutMs, type Send } from './receiver.ts'

/** The number of users whose events are sent at a time. */
const mostAtOnce = 8
/** The number of events of a user that are sent in a row. Then they are removed together, and other users come first. */
const mostInRow = 16
/**
 * After this number of failures in a row, the receiver counts as down. Then one event at a time is sent to find out whether it
 * is back.
 */
const failuresOfOutage = 5
const longestPauseMs = 30_000
/** A failed event that is older than this is given up. */
const defaultGiveUpMs = 24 * 3_600_000
/** How long a claim lasts, and how often it is renewed. A request ends within it, so no other node sends meanwhile. */
const claimMs = 30_000
const claimEveryMs = 5_000
/** How often the events are counted. */
const countEveryMs = 5_000
/** The number of events that are read together when the delivery begins. */
const eventsAtOnce = 1_000
/** The number of overdue events that one failure during an outage gives up. */
const overdueAtOnce = 100

export interface CourierOptions {
  store: Store
  send: Send
  room: EventRoom
  clock: Clock
  log: Pick<Logger, 'warn' | 'error'>
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
 *                                                               └▶ failed: the line waits, longer each time; too old: a dead letter
 */
export class Courier {
  readonly counts: CourierCounts = { delivered: 0, failed: 0, waiting: 0, dead: 0 }
  readonly #options: CourierOptions
  readonly #holder = randomUUID()
  readonly #lines = new Lines()
  readonly #sending = new Set<Promise<void>>()
  readonly #ending = new AbortController()
  #isOpen = false
  /** Until this time, no other node delivers. */
  #heldUntilMs = 0
  #isHolder = false
  /** Failures in a row, over the events of all users. */
  #failures = 0
  #pausedUntilMs = 0
  #cancelWake: () => void = () => undefined
  #stops: (() => void)[] = []
  #claiming: Promise<void> | undefined
  #counting: Promise<void> | undefined

  constructor(options: CourierOptions) {
    this.#options = options
  }

  /** Starts to deliver. Resolves when it is known whether this node delivers. */
  async start(): Promise<void> {
    const { store, clock } = this.#options
    this.#isOpen = true
    const listener: CommitListener = {
      committed: commits => this.#heard(commits),
      // Everything is read again after the next claim.
      lost: () => {
        this.#isHolder = false
      },
    }
    this.#stops = [
      store.onCommit(listener),
      clock.every(claimEveryMs, () => void this.#claim()),
      clock.every(countEveryMs, () => void this.#count()),
    ]
    await this.#count()
    await this.#claim()
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
    if (this.#isHolder) await this.#options.store.outbox.release(this.#holder).catch(() => undefined)
  }

  #heard(commits: Parameters<CommitListener['committed']>[0]): void {
    if (!this.#isHolder) return
    let isNews = false
    for (const { lines } of commits) {
      for (const user of lines) this.#lines.add(user)
      isNews ||= lines.size > 0
    }
    if (isNews) this.#pump()
  }

  #claim(): Promise<void> {
    this.#claiming ??= this.#tryClaim()
      .catch((error: unknown) => this.#options.log.warn({ err: error }, 'the delivery of events could not be claimed'))
      .finally(() => {
        this.#claiming = undefined
      })
    return this.#claiming
  }

  async #tryClaim(): Promise<void> {
    const { store, clock } = this.#options
    const begun = clock.now()
    const isHolder = await store.outbox.claim(this.#holder, claimMs)
    if (!this.#isOpen) return
    if (isHolder) this.#heldUntilMs = begun + claimMs
    const begins = isHolder && !this.#isHolder
    this.#isHolder = isHolder
    if (!isHolder) this.#lines.clear()
    if (begins) await this.#load()
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
      const user = this.#lines.take(clock.now())
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
    const isPaused = this.#options.clock.now() < this.#pausedUntilMs
    return this.#maySendNext() && !isPaused && this.#sending.size < this.#mostAtOnce
  }

  get #mostAtOnce(): number {
    return this.#failures >= failuresOfOutage ? 1 : mostAtOnce
  }

  #wakeLater(): void {
    const { clock } = this.#options
    const due = this.#lines.nextDueMs()
    // A delivery or claim in progress checks again at its end.
    if (due === undefined || !this.#maySendNext() || this.#sending.size >= this.#mostAtOnce) return
    const at = Math.max(due, this.#pausedUntilMs, clock.now() + 1)
    this.#cancelWake = clock.after(at - clock.now(), () => this.#pump())
  }

  /** Sends some events of a user, until one fails. Never rejects. */
  async #deliver(user: string): Promise<void> {
    const delivered: EventName[] = []
    try {
      const last = await this.#sendSome(user, delivered)
      if (delivered.length > 0) await this.#options.store.commit({ type: 'events', removed: delivered })
      if (last === 'more') this.#lines.putBack(user)
      else if (last === 'none') this.#lines.end(user)
    } catch (error) {
      // Events that were delivered and could not be removed are sent again.
      this.#options.log.warn({ err: error }, 'events of the outbox could not be read or removed')
      this.#delay(user, { leastMs: 0, isOfReceiver: true })
    }
  }

  async #sendSome(user: string, delivered: EventName[]): Promise<'more' | 'none' | 'delayed'> {
    const { store, send } = this.#options
    let after: EventName | undefined
    while (delivered.length < mostInRow && this.#maySendNext()) {
      // One at a time, so nothing is sent about an account that was erased meanwhile.
      const next = await store.outbox.next(user, after)
      if (!next) return 'none'
      const attempt = await send(next, this.#ending.signal)
      if (!attempt.isDelivered) {
        if (this.#isOpen) await this.#failed(user, next, attempt)
        return 'delayed'
      }
      this.#succeeded(user)
      delivered.push(next.name)
      after = next.name
    }
    return 'more'
  }

  #maySendNext(): boolean {
    return this.#isOpen && this.#isHolder && this.#options.clock.now() + responseTimeoutMs < this.#heldUntilMs
  }

  #succeeded(user: string): void {
    this.counts.delivered++
    this.#lines.noteProgress(user)
    if (this.#failures >= failuresOfOutage) {
      this.#options.log.warn('the webhook receiver takes events again')
      this.#lines.resume()
    }
    this.#failures = 0
    this.#pausedUntilMs = 0
  }

  async #failed(user: string, event: StoredEvent, attempt: Exclude<Attempt, { isDelivered: true }>): Promise<void> {
    const { store, log } = this.#options
    const { reason, isOfReceiver, retryAfterMs } = attempt
    this.counts.failed++
    if (isOfReceiver) this.#noteOutage(reason, retryAfterMs)
    this.#delay(user, { leastMs: retryAfterMs, isOfReceiver })
    const overdue = this.#isOverdue(event) ? [event] : []
    if (this.#failures >= failuresOfOutage)
      overdue.push(...(await store.outbox.waiting(undefined, overdueAtOnce)).filter(one => this.#isOverdue(one)))
    if (overdue.length === 0) return
    log.error({ event: eventId(event), events: overdue.length, reason }, 'events were given up: they are dead letters')
    await store.commit({ type: 'events', dead: overdue.map(({ name }) => ({ name, reason })) })
    // The user's next event need not wait because of the one that was given up.
    if (!isOfReceiver) this.#lines.putBack(user)
  }

  #noteOutage(reason: string, retryAfterMs: number): void {
    const { clock, log } = this.#options
    this.#failures++
    if (this.#failures === failuresOfOutage) log.warn({ reason }, 'the webhook receiver takes no events')
    if (this.#failures < failuresOfOutage) return
    const pauseMs = Math.min(waitMsAfter(this.#failures - failuresOfOutage + 1), longestPauseMs)
    this.#pausedUntilMs = clock.now() + Math.max(pauseMs, retryAfterMs)
  }

  #isOverdue({ event }: StoredEvent): boolean {
    return this.#options.clock.now() - event.atMs > (this.#options.giveUpMs ?? defaultGiveUpMs)
  }

  #delay(user: string, { leastMs, isOfReceiver }: { leastMs: number; isOfReceiver: boolean }): void {
    this.#lines.delay(user, { nowMs: this.#options.clock.now(), leastMs, isOfReceiver })
  }
}
