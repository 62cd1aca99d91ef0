import { getHeapStatistics } from 'node:v8'
import type { Clock } from './clock.ts'

const intervalMs = 5_000
/** A quiet heap is collected if it exceeds this many times what the last collection left, plus this many bytes. */
const timesKept = 1.25
const bytesAboveKept = 32 * 1024 * 1024
/** A heap is quiet if it grows by no more than this fraction of itself between two checks. */
const quietGrowth = 1 / 16
/**
 * After this number of quiet checks, 45 s at least, a heap is collected once more. By then the server has dropped the documents
 * that were in use.
 */
const looksUntilAgain = 10
/**
 * After a collection, a heap is sparse if it takes this many times its content from the system, plus {@link bytesAboveKept}. A
 * collection moves only about 4 MB of the content together, so a sparse heap is collected again as long as it shrinks.
 */
const timesContent = 2
/** A heap shrinks if it takes at least this fraction less than at the check before. */
const leastShrinking = 1 / 16

/**
 * More than the 64 MiB of memory outside the heap at which V8 starts to mark (`kExternalAllocationSoftLimit`). The memory is
 * never written to, so the system does not allocate it.
 */
const externalBytes = 80 * 1024 * 1024

/** The size of a heap, in bytes. */
export interface HeapSize {
  /** The objects on the heap. */
  readonly used: number
  /** The memory outside the heap that they keep, such as the bytes of documents. */
  readonly external: number
  /** The memory that the heap takes from the system. */
  readonly taken: number
}

/** Detects when a heap contains garbage that V8 will not collect, because nothing is allocated any more. */
export class IdleHeap {
  #keptBytes: number
  #lastBytes: number
  #lastTaken: number
  #isAsked = false
  #looksLeft = 0

  /** `size`: the present size of the heap. */
  constructor({ used, external, taken }: HeapSize) {
    this.#keptBytes = used + external
    this.#lastBytes = used + external
    this.#lastTaken = taken
  }

  /** Whether the heap, which now has this size, must be collected. Call this at regular intervals. */
  isDue({ used, external, taken }: HeapSize): boolean {
    const bytes = used + external
    const freedBytes = this.#isAsked ? this.#lastBytes - bytes : 0
    this.#keptBytes = this.#isAsked ? bytes : Math.min(this.#keptBytes, bytes)
    const isQuiet = bytes - this.#lastBytes <= bytes * quietGrowth
    this.#lastBytes = bytes
    const isMuch = bytes > this.#keptBytes * timesKept + bytesAboveKept
    // If a collection freed much, or the heap grows again, documents may be in use that are dropped later.
    const isInUse = freedBytes > bytesAboveKept || (!isQuiet && !this.#isAsked && this.#looksLeft > 0)
    if (isInUse) this.#looksLeft = looksUntilAgain
    else if (this.#looksLeft > 0) this.#looksLeft--
    const isAgain = this.#looksLeft === 1
    const isSparse = taken > used * timesContent + bytesAboveKept
    const isShrinking = taken <= this.#lastTaken * (1 - leastShrinking)
    this.#lastTaken = taken
    this.#isAsked = isQuiet && (isMuch || isAgain || (this.#isAsked && isSparse && isShrinking))
    if (isMuch && this.#isAsked) this.#looksLeft = looksUntilAgain
    return this.#isAsked
  }
}

/** Makes V8 collect the garbage of a large piece of work, once the process is quiet. Returns a function that stops this. */
export function collectWhenIdle(clock: Clock): () => void {
  const heap = new IdleHeap(heapSize())
  return clock.every(intervalMs, () => {
    if (heap.isDue(heapSize())) beginCollection()
  })
}

/**
 * Makes V8 start an incremental collection, beside the work of the process. Node has no call for that: `gc()` collects in one
 * piece, during which no user is served. V8 starts automatically when much memory outside the heap is allocated.
 */
export function beginCollection(): void {
  try {
    new ArrayBuffer(externalBytes)
  } catch {
    // The system does not promise memory that it does not have. V8 collects when the heap is full.
  }
}

function heapSize(): HeapSize {
  const { used_heap_size: used, external_memory: external, total_heap_size: taken } = getHeapStatistics()
  return { used, external, taken }
}
