/**
 * Tracks frozen processes. A tab freezes while an `alert()` is open or its page is frozen, and then runs nothing. Events from
 * the platform wait, and happen when the process continues.
 */
export class Standstill {
  readonly #waiting = new Map<object, (() => void)[]>()

  isOn(process: object): boolean {
    return this.#waiting.has(process)
  }

  begin(process: object): void {
    if (!this.isOn(process)) this.#waiting.set(process, [])
  }

  /** Runs a task of this process; if the process is frozen, when it continues. */
  run(process: object, task: () => void): void {
    const waiting = this.#waiting.get(process)
    if (waiting) waiting.push(task)
    else task()
  }

  /** Ends the freeze. The waiting tasks run one after the other, each in its own turn, in an order that `pick` chooses. */
  end(process: object, pick: (count: number) => number): void {
    const waiting = this.#waiting.get(process) ?? []
    this.#waiting.delete(process)
    while (waiting.length > 0) {
      const [task] = waiting.splice(pick(waiting.length), 1)
      setImmediate(() => task?.())
    }
  }

  forget(process: object): void {
    this.#waiting.delete(process)
  }
}
