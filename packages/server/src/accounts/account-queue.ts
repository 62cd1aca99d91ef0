import type { DocumentName } from '../relations/records.ts'
import { othersTurn } from '../turns.ts'
import type { Writer } from './writer.ts'

/** An update of a device that waits to be written. */
export interface Write {
  type: 'write'
  writer: Writer
  document: DocumentName
  update: Uint8Array
  /** It is the answer to the server's sync step 1, or came after that. */
  isAnswered: boolean
}

interface Task {
  type: 'task'
  run: () => Promise<void> | void
  fail: (error: unknown) => void
}

/**
 * What one user's devices sent, in the order in which it is done: an edit after the revocation that came before it [V6], and a
 * barrier after what it covers [D2]. Consecutive writes of one session are handed to `writeAll` together, which never rejects.
 */
export class AccountQueue {
  readonly #writeAll: (writer: Writer, run: Write[]) => Promise<void>
  readonly #onIdle: () => void
  #queue: (Write | Task)[] = []
  #isRunning = false
  /** Of updates that were not written or refused yet. */
  #queuedBytes = 0

  constructor(writeAll: (writer: Writer, run: Write[]) => Promise<void>, onIdle: () => void) {
    this.#writeAll = writeAll
    this.#onIdle = onIdle
  }

  write(write: Omit<Write, 'type'>): void {
    this.#queuedBytes += write.update.length
    this.#enqueue({ type: 'write', ...write })
  }

  /** Runs when all that came before is on disk, or was refused. If it throws, `fail` is called, and the queue goes on. */
  task(run: () => Promise<void> | void, fail: (error: unknown) => void): void {
    this.#enqueue({ type: 'task', run, fail })
  }

  /** Writes that are too many for one commit: they are the next. */
  putBack(writes: readonly Write[]): void {
    this.#queue.unshift(...writes)
  }

  /** Drops what this writer sent and nothing was done about yet. */
  drop(writer: Writer): void {
    this.#queue = this.#queue.filter(entry => entry.type === 'task' || entry.writer !== writer)
  }

  /**
   * Resolves when what is queued now has been done, if updates of more than `mostBytes` wait to be written; `undefined` if
   * not. A caller that reads on all the same lets one user take any amount of memory [S3].
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
      // What lies in memory is never waited for, so a long queue would else keep all others from being served [S1].
      await othersTurn()
      next = this.#queue[0]
    }
    // No `await` between the last look at the queue and this reset, so a later write starts a new loop.
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

  /** Takes the writes of a session that are next, up to an entry of another kind or session. */
  #writesOf(writer: Writer): Write[] {
    const count = this.#queue.findIndex(entry => entry.type !== 'write' || entry.writer !== writer)
    return this.#queue.splice(0, count === -1 ? this.#queue.length : count) as Write[]
  }
}
