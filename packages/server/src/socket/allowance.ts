import type { UserRates } from './rate-limits.ts'

/** What one session may still send, by what its user has sent over all devices [S3]. */
export class Allowance {
  readonly #rates: UserRates
  /** Direct messages that were handed to this device and that it has not acknowledged. */
  #unacknowledged = 0

  constructor(rates: UserRates) {
    this.#rates = rates
  }

  /** Milliseconds until the user's debt is paid; 0: there is none. */
  get debtMs(): number {
    return this.#rates.work.debtMs
  }

  /** Resolves when the user's next frame may be handled, if that is not now. */
  get nextTurn(): UserRates['turn']['whenNext'] {
    return this.#rates.turn.whenNext
  }

  /** Charges work. What is beyond the user's means is paid before the user's next frame. */
  charge(units: number): void {
    this.#rates.work.spend(units)
  }

  /** Charges a frame that is handled now. */
  chargeFrame(units: number): void {
    this.charge(units)
    this.#rates.turn.spend(units)
  }

  /** Counts a message. Returns how long to wait when there are too many, in milliseconds; else 0. */
  takeMessage(): number {
    return this.#rates.messages.take()
  }

  /** Counts writes. Returns how long to wait when there are too many, in milliseconds; else 0. */
  takeWrites(count: number): number {
    return this.#rates.writes.take(count)
  }

  /** A message was handed to the device. */
  noteMessage(): void {
    this.#unacknowledged++
  }

  /** Whether the device has a message to acknowledge. That costs nothing: those who sent the messages are bounded. */
  takeAcknowledgement(): boolean {
    if (this.#unacknowledged === 0) return false
    this.#unacknowledged--
    return true
  }
}
