import { Worker } from 'node:worker_threads'
import type { Limits } from '@kith/shared'
import type { Clock } from '../clock.ts'
import type { DocumentName } from '../relations/records.ts'
import { copiesOf } from './copied.ts'
import type { MergeAnswer, MergeRequest } from './merge-messages.ts'
import { type DocumentHost, RemoteDocument } from './remote-document.ts'

/** Nobody has asked for so long: the thread ends, and gives all its memory back. */
const idleMs = 10_000

interface Pending {
  resolve: (answer: Exclude<MergeAnswer, { error: string }>) => void
  reject: (error: Error) => void
}

/**
 * A thread beside the server's own for documents above 256 KiB: to load, to merge and to encode one takes up to a second,
 * in which no other user would be served. It begins with the first such document and ends when it is idle.
 */
export class MergeThread implements DocumentHost {
  readonly #clock: Clock
  readonly #limits: Limits
  readonly #maxHeapBytes: number
  #worker: Worker | undefined
  #pending: Pending[] = []
  /** The least recently used first. */
  #documents = new Set<RemoteDocument>()
  /** Those that wait for room, in the order in which they came. */
  #waiting: { document: RemoteDocument; resolve: () => void }[] = []
  #count = 0
  #cancelIdle: () => void = () => undefined

  constructor(options: { clock: Clock; limits: Limits; maxHeapBytes?: number }) {
    this.#clock = options.clock
    this.#limits = options.limits
    this.#maxHeapBytes = options.maxHeapBytes ?? 256 * 1024 * 1024
  }

  /**
   * Loads a document in the thread, when there is room for it. It is held: those who wait for room must not take it before
   * anything was done with it. `moreBytes` are about to be merged: they need room as well. `read` gives snapshot and updates;
   * it is called when there is room, so that the bytes of those who wait lie on the disk alone [S3].
   */
  async open(
    name: DocumentName,
    { weight, moreBytes }: { weight: number; moreBytes: number },
    read: () => Promise<readonly Uint8Array[]>,
  ): Promise<RemoteDocument> {
    const document = new RemoteDocument(this, ++this.#count, weight)
    document.hold(moreBytes)
    await this.#takeRoom(document)
    try {
      const parts = await copiesOf(await read())
      if (document.isGone) throw new Error('the merging thread has ended')
      await this.ask({ type: 'open', document: document.id, name, parts, limits: this.#limits }, parts)
    } catch (error) {
      document.release()
      document.destroy()
      if (this.#pending.length === 0) this.#endWhenIdle()
      throw error
    }
    return document
  }

  #takeRoom(document: RemoteDocument): Promise<void> {
    return new Promise(resolve => {
      this.#waiting.push({ document, resolve })
      this.#admit()
    })
  }

  /**
   * Gives room to those that wait, in their order: otherwise small documents that come later keep a large one waiting. Room
   * is looked at and taken in one step, so each sees those that took room before it.
   */
  #admit(): void {
    for (let first = this.#waiting[0]; first; first = this.#waiting[0]) {
      if (this.#documents.size > 0 && !this.#hasRoomFor(first.document.heapBytes)) {
        const idle = this.#leastUsed()
        if (!idle) return
        // It calls this again, for the same one that is first.
        idle.destroy()
      } else {
        this.#waiting.shift()
        this.#documents.add(first.document)
        this.#cancelIdle()
        first.resolve()
      }
    }
  }

  #hasRoomFor(moreBytes: number): boolean {
    return this.#heapBytes() + moreBytes <= this.#maxHeapBytes
  }

  #leastUsed(but?: RemoteDocument): RemoteDocument | undefined {
    return [...this.#documents].find(document => !document.isInUse && document !== but)
  }

  #heapBytes(): number {
    let bytes = 0
    for (const document of this.#documents) bytes += document.heapBytes
    return bytes
  }

  /** A document was used: it goes last, and others first if it has grown beyond the room that there is. */
  noteUsed(document: RemoteDocument): void {
    if (this.#documents.delete(document)) this.#documents.add(document)
    this.noteGrowth(document)
    this.#admit()
  }

  /** A document grows, or is about to: others go that are not in use. */
  noteGrowth(document: RemoteDocument): void {
    for (let idle = this.#leastUsed(document); idle && !this.#hasRoomFor(0); idle = this.#leastUsed(document)) {
      idle.destroy()
    }
  }

  forget(document: RemoteDocument): void {
    if (!this.#documents.delete(document)) return
    if (this.#worker) this.ask({ type: 'close', document: document.id }).catch(() => undefined)
    this.#admit()
    if (this.#documents.size === 0) this.#cancelIdle()
  }

  ask(request: MergeRequest, owned: readonly Uint8Array[] = []): Promise<Exclude<MergeAnswer, { error: string }>> {
    this.#cancelIdle()
    const worker = this.#begun()
    // What lies in a buffer of its own is handed over instead of copied.
    const whole = owned.filter(bytes => bytes.byteLength === bytes.buffer.byteLength)
    const buffers = [...new Set(whole.map(({ buffer }) => buffer as ArrayBuffer))]
    return new Promise((resolve, reject) => {
      this.#pending.push({ resolve, reject })
      worker.postMessage(request, buffers)
    })
  }

  #begun(): Worker {
    if (this.#worker) return this.#worker
    // From sources, as tests have it, the thread runs what was built of them: Node reads no TypeScript.
    const program = import.meta.url.replace(/\/src\/(documents\/)merge-thread\.ts$/, '/dist/$1merge-thread.js')
    const worker = new Worker(new URL('./merge-worker.js', program), {
      // The largest document with its history takes 1.2 GB.
      resourceLimits: { maxOldGenerationSizeMb: 2_048 },
      execArgv: [],
    })
    worker.unref()
    worker.on('message', (answer: MergeAnswer) => this.#onAnswer(worker, answer))
    worker.on('error', error => this.#onEnd(worker, error))
    worker.on('exit', () => this.#onEnd(worker, new Error('the merging thread has ended')))
    this.#worker = worker
    return worker
  }

  /** Answers come in the order of the requests; those of a thread that is ending belong to no request of the present one. */
  #onAnswer(worker: Worker, answer: MergeAnswer): void {
    if (worker !== this.#worker) return
    const pending = this.#pending.shift()
    if ('error' in answer) pending?.reject(new Error(answer.error))
    else pending?.resolve(answer)
    if (this.#pending.length === 0) this.#endWhenIdle()
  }

  #endWhenIdle(): void {
    this.#cancelIdle()
    this.#cancelIdle = this.#clock.after(idleMs, () => void this.close())
  }

  /** All documents in it are lost, and are loaded from the disk when they are needed next. */
  #onEnd(worker: Worker, error: Error): void {
    if (worker !== this.#worker) return
    this.#worker = undefined
    const documents = [...this.#documents]
    this.#documents.clear()
    for (const document of documents) document.destroy()
    for (const { reject } of this.#pending.splice(0)) reject(error)
    this.#admit()
  }

  async close(): Promise<void> {
    this.#cancelIdle()
    const worker = this.#worker
    this.#worker = undefined
    for (const document of [...this.#documents]) document.destroy()
    for (const { reject } of this.#pending.splice(0)) reject(new Error('the server is closing'))
    await worker?.terminate()
  }
}
