import { Worker } from 'node:worker_threads'
import type { Limits } from '@kith/shared'
import type { Clock } from '../clock.ts'
import type { DocumentName } from '../relations/records.ts'
import { copiesOf } from './copied.ts'
import type { MergeAnswer, MergeRequest } from './merge-messages.ts'
import { type DocumentHost, RemoteDocument } from './remote-document.ts'

/** After this time without a request, the thread ends and frees all its memory. */
const idleMs = 10_000

interface Pending {
  resolve: (answer: Exclude<MergeAnswer, { error: string }>) => void
  reject: (error: Error) => void
}

/**
 * A worker thread for documents above 256 KiB. Loading, merging and encoding such a document takes up to a second, in which no
 * other user would be served. The thread starts with the first such document, and ends when it is idle.
 */
export class MergeThread implements DocumentHost {
  readonly #clock: Clock
  readonly #limits: Limits
  readonly #maxHeapBytes: number
  #worker: Worker | undefined
  #pending: Pending[] = []
  /** The least recently used first. */
  #documents = new Set<RemoteDocument>()
  /** Documents that wait for room, in the order of the requests. */
  #waiting: { document: RemoteDocument; resolve: () => void }[] = []
  #count = 0
  #cancelIdle: () => void = () => undefined

  constructor(options: { clock: Clock; limits: Limits; maxHeapBytes?: number }) {
    this.#clock = options.clock
    this.#limits = options.limits
    this.#maxHeapBytes = options.maxHeapBytes ?? 256 * 1024 * 1024
  }

  /**
   * Loads a document in the thread when there is room for it. The document is held, so documents that wait for room cannot take
   * its place before it has been used. `moreBytes` are about to be merged, and need room as well. `read` returns the snapshot
   * and the updates. It is called when there is room, so the bytes of waiting documents are only on disk [S3].
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
   * Gives room to the waiting documents, in their order. Otherwise later small documents would keep a large one waiting. Room
   * is checked and taken in one step, so each document sees the room that earlier ones took.
   */
  #admit(): void {
    for (let first = this.#waiting[0]; first; first = this.#waiting[0]) {
      if (this.#documents.size > 0 && !this.#hasRoomFor(first.document.heapBytes)) {
        const idle = this.#leastUsed()
        if (!idle) return
        // This calls `#admit` again for the same first document.
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

  /** A document was used. It is dropped last. Others are dropped first if it has grown beyond the available room. */
  noteUsed(document: RemoteDocument): void {
    if (this.#documents.delete(document)) this.#documents.add(document)
    this.noteGrowth(document)
    this.#admit()
  }

  /** A document grows, or is about to grow. Others that are not in use are dropped. */
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
    // Bytes with a buffer of their own are transferred instead of copied.
    const whole = owned.filter(bytes => bytes.byteLength === bytes.buffer.byteLength)
    const buffers = [...new Set(whole.map(({ buffer }) => buffer as ArrayBuffer))]
    return new Promise((resolve, reject) => {
      this.#pending.push({ resolve, reject })
      worker.postMessage(request, buffers)
    })
  }

  #begun(): Worker {
    if (this.#worker) return this.#worker
    // When run from sources, as in tests, the thread runs their build output, because Node cannot read TypeScript.
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

  /**
   * Answers arrive in the order of the requests. Answers of a thread that is ending belong to no request to the present thread.
   */
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

  /** All documents in the thread are lost. They are loaded from the disk when they are needed next. */
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
