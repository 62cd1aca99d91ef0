import { getHeapStatistics } from 'node:v8'
import type { Clock } from './clock.ts'

const intervalMs = 5_000
/** A quiet heap of so many times what the last collection left, and so many bytes more, is collected. */
const timesKept = 1.25
const bytesAboveKept = 32 * 1024 * 1024
/** By so large a part of itself a quiet heap does not grow between two looks. */
const quietGrowth = 1 / 16
/**
 * A heap is collected once more after so many quiet looks, 45 s at least: by then the server has dropped the documents that it
 * had in use.
 */
const looksUntilAgain = 10

/**
 * More than the 64 MiB of memory outside the heap after which V8 begins to mark (`kExternalAllocationSoftLimit`). The memory
 * is never written to, so the system does not give it.
 */
const externalBytes = 80 * 1024 * 1024

/** Finds the moments at which a heap holds garbage that V8 will not look for, since nothing is allocated any more. */
export class IdleHeap {
  #keptBytes: number
  #lastBytes: number
  #isAsked = false
  #looksLeft = 0

  /** `bytes`: what the heap has now. */
  constructor(bytes: number) {
    this.#keptBytes = bytes
    this.#lastBytes = bytes
  }

  /** Whether the heap, which has so many bytes by now, is to be collected. Call it at regular times. */
  isDue(bytes: number): boolean {
    const freedBytes = this.#isAsked ? this.#lastBytes - bytes : 0
    this.#keptBytes = this.#isAsked ? bytes : Math.min(this.#keptBytes, bytes)
    const isQuiet = bytes - this.#lastBytes <= bytes * quietGrowth
    this.#lastBytes = bytes
    const isMuch = bytes > this.#keptBytes * timesKept + bytesAboveKept
    // Where much was freed, or the heap grows again, documents may be in use that are dropped later.
    const isInUse = freedBytes > bytesAboveKept || (!isQuiet && this.#looksLeft > 0)
    if (isInUse) this.#looksLeft = looksUntilAgain
    else if (this.#looksLeft > 0) this.#looksLeft--
    const isAgain = this.#looksLeft === 1
    this.#isAsked = isQuiet && (isMuch || isAgain)
    if (isMuch && this.#isAsked) this.#looksLeft = looksUntilAgain
    return this.#isAsked
  }
}

/** Has V8 collect what a large piece of work has left, once the process is quiet. Returns a function that ends it. */
export function collectWhenIdle(clock: Clock): () => void {
  const heap = new IdleHeap(heapBytes())
  return clock.every(intervalMs, () => {
    if (heap.isDue(heapBytes())) beginCollection()
  })
}

/**
 * Has V8 begin a collection in steps, beside the work of the process. Node has no call for that: `gc()` collects in one piece,
 * in which nobody is served. V8 begins by itself when much memory outside the heap is taken.
 */
export function beginCollection(): void {
  try {
    new ArrayBuffer(externalBytes)
  } catch {
    // A system that promises no memory which it does not have. V8 collects when the heap is full.
  }
}

function heapBytes(): number {
  const { used_heap_size, external_memory } = getHeapStatistics()
  return used_heap_size + external_memory
}
