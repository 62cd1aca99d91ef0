/** Whether a device was welcomed. */
export class Arrival {
  #hasArrived = false
  #settle: (hasArrived: boolean) => void = () => undefined
  /** Resolves to whether the device was welcomed, at the latest when its session ends. */
  readonly settled: Promise<boolean> = new Promise(resolve => {
    this.#settle = resolve
  })

  get hasArrived(): boolean {
    return this.#hasArrived
  }

  /** The device was welcomed. */
  arrive(): void {
    this.#hasArrived = true
    this.#settle(true)
  }

  /** The session has ended. */
  end(): void {
    this.#settle(this.#hasArrived)
  }
}
