import type { UserRates } from './rate-limits.ts'

/** How much one session may still send, given what its user has sent over all devices [S3]. */
export class Allowance {
  readonly #rates: UserRates
  /** Direct messages that were sent to this device and that it has not acknowledged. */
  #unacknowledged = 0

  constructor(rates: UserRates) {
    this.#rates = rates
  }

  /** Milliseconds until the user's debt is paid; 0 if there is none. */
  get debtMs(): number {
    return this.#rates.work.debtMs
  }

  /** If the user's next frame may not be handled now, resolves when it may. */
  get nextTurn(): UserRates['turn']['whenNext'] {
    return this.#rates.turn.whenNext
  }

  /** Charges work. Work that exceeds the user's allowance is paid before the user's next frame. */
  charge(units: number): void {
    this.#rates.work.spend(units)
  }

  /** Charges a frame that is handled now. */
  chargeFrame(units: number): void {
    this.charge(units)
    this.#rates.turn.spend(units)
  }

  /** Counts a message. If there are too many, returns how long to wait, in milliseconds. Otherwise returns 0. */
  takeMessage(): number {
    return this.#rates.messages.take()
  }

  /** Counts writes. If there are too many, returns how long to wait, in milliseconds. Otherwise returns 0. */
  takeWrites(count: number): number {
    return this.#rates.writes.take(count)
  }

  /** A message was sent to the device. */
  noteMessage(): void {
    this.#unacknowledged++
  }

  /**
   * Whether the device has a message to acknowledge. Acknowledgements are free, because the senders of the messages are
   * limited.
   */
  takeAcknowledgement(): boolean {
    if (this.#unacknowledged === 0) return false
    this.#unacknowledged--
    return true
  }
}
