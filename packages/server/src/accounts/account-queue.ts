import type { DocumentName } from '../relations/records.ts'
import { othersTurn } from '../turns.ts'
import type { Writer } from './writer.ts'

/** An update of a device that waits to be written. */
export interface Write {
  type: 'write'
  writer: Writer
  document: DocumentName
  update: Uint8Array
  /** The write is the reply to the server's sync step 1, or came after that reply. */
  isAnswered: boolean
}

interface Task {
  type: 'task'
  run: () => Promise<void> | void
  fail: (error: unknown) => void
}

/**
 * The queue of one user's account. It does the work of the user's devices in the order in which they sent it: an edit after the
 * revocation that preceded the edit [V6], and a barrier after the writes that the barrier covers [D2]. Consecutive writes of
 * one session are passed to `writeAll` together, which never rejects.
 */
export class AccountQueue {
  readonly #writeAll: (writer: Writer, run: Write[]) => Promise<void>
  readonly #onIdle: () => void
  #queue: (Write | Task)[] = []
  #isRunning = false
  /** The size of the updates that were neither written nor refused yet. */
  #queuedBytes = 0

  constructor(writeAll: (writer: Writer, run: Write[]) => Promise<void>, onIdle: () => void) {
    this.#writeAll = writeAll
    this.#onIdle = onIdle
  }

  write(write: Omit<Write, 'type'>): void {
    this.#queuedBytes += write.update.length
    this.#enqueue({ type: 'write', ...write })
  }

  /**
   * Queues `run`, which runs when all earlier entries are on disk or refused. If `run` throws, `fail` is called and the queue
   * continues.
   */
  task(run: () => Promise<void> | void, fail: (error: unknown) => void): void {
    this.#enqueue({ type: 'task', run, fail })
  }

  /** Puts back writes that do not fit into one commit. They are written next. */
  putBack(writes: readonly Write[]): void {
    this.#queue.unshift(...writes)
  }

  /** Drops the queued writes of this writer. */
  drop(writer: Writer): void {
    this.#queue = this.#queue.filter(entry => entry.type === 'task' || entry.writer !== writer)
  }

  /** Drops all queued writes. */
  dropAll(): void {
    this.#queue = this.#queue.filter(({ type }) => type === 'task')
  }

  /**
   * If updates of more than `mostBytes` wait to be written, returns a promise that resolves when everything queued so far is
   * done. Otherwise returns `undefined`. A caller that keeps reading without waiting for this promise lets one user take any
   * amount of memory [S3].
   */
  backlog(mostBytes: number): Promise<void> | undefined {
    if (this.#queuedBytes <= mostBytes) return undefined
    return new Promise(resolve => this.task(resolve, () => resolve()))
  }

  #enqueue(entry: Write | Task): void {
    this.#queue.push(entry)
    if (this.#isRunning) return
    this.#isRunning = true
    void this.#run()
  }

  async #run(): Promise<void> {
    let next = this.#queue[0]
    while (next) {
      await (next.type === 'task' ? this.#runTask(next) : this.#writeAll(next.writer, this.#writesOf(next.writer)))
      this.#queuedBytes = this.#queue.reduce(
        (sum, entry) => sum + (entry.type === 'write' ? entry.update.length : 0),
        0,
      )
      // Awaits on data that is already in memory never yield to the event loop, so a long queue would otherwise block all other
      // users [S1].
      await othersTurn()
      next = this.#queue[0]
    }
    // No `await` between the last check of the queue and this reset, so a later write starts a new loop.
    this.#isRunning = false
    this.#onIdle()
  }

  async #runTask(task: Task): Promise<void> {
    this.#queue.shift()
    try {
      await task.run()
    } catch (error) {
      task.fail(error)
    }
  }

  /** Takes the next writes of a session, up to the first entry of another kind or session. */
  #writesOf(writer: Writer): Write[] {
    const count = this.#queue.findIndex(entry => entry.type !== 'write' || entry.writer !== writer)
    return this.#queue.splice(0, count === -1 ? this.#queue.length : count) as Write[]
  }
}
