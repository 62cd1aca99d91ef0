import { randomUUID } from 'node:crypto'
import type { Clock } from '../clock.ts'
import type { Outbox } from '../relations/outbox.ts'

/** How long a claim lasts, and how often it is renewed. A request ends within it, so no other node sends meanwhile. */
const claimMs = 30_000
export const claimEveryMs = 5_000

/** This node's claim on the delivery. It is measured by the larger of two clocks: one may be set back, one may be suspended. */
export class Claim {
  readonly #outbox: Outbox
  readonly #clock: Clock
  readonly #holder = randomUUID()
  #isHeld = false
  /** When the last renewal began, by both clocks. */
  #beganMs = 0
  #beganWallMs = 0

  constructor(outbox: Outbox, clock: Clock) {
    this.#outbox = outbox
    this.#clock = clock
  }

  get isHeld(): boolean {
    return this.#isHeld
  }

  /** Whether no other node delivers for this time. */
  lasts(forMs: number): boolean {
    const elapsedMs = Math.max(this.#clock.elapsed() - this.#beganMs, this.#clock.now() - this.#beganWallMs)
    return this.#isHeld && elapsedMs + forMs < claimMs
  }

  /** Claims the delivery, or claims it for longer. */
  async renew(): Promise<void> {
    const [beganMs, beganWallMs] = [this.#clock.elapsed(), this.#clock.now()]
    this.#isHeld = await this.#outbox.claim(this.#holder, claimMs)
    if (!this.#isHeld) return
    this.#beganMs = beganMs
    this.#beganWallMs = beganWallMs
  }

  /** Ends it without a word to the other nodes. */
  drop(): void {
    this.#isHeld = false
  }

  async release(): Promise<void> {
    if (this.#isHeld) await this.#outbox.release(this.#holder).catch(() => undefined)
  }
}
