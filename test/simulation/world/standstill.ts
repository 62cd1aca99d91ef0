/**
 * Which processes stand still, as a tab does while an `alert()` is open or its page is frozen: nothing of theirs runs. What
 * the platform has for them waits, and happens once they go on.
 */
export class Standstill {
  readonly #waiting = new Map<object, (() => void)[]>()

  isOn(process: object): boolean {
    return this.#waiting.has(process)
  }

  begin(process: object): void {
    if (!this.isOn(process)) this.#waiting.set(process, [])
  }

  /** Runs what is for this process; later, while it stands still. */
  run(process: object, task: () => void): void {
    const waiting = this.#waiting.get(process)
    if (waiting) waiting.push(task)
    else task()
  }

  /** What waits happens one after the other, each in a turn of its own, in an order that `pick` chooses. */
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
