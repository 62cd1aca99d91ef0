import { isBytes, wrong } from '../api/arguments.ts'
import { unlessAborted } from './abort.ts'

/** The source of a phone book: a file in a browser is a Blob, and a file in Node gives a stream. */
export type PhoneBookSource = Blob | Uint8Array | ReadableStream<Uint8Array>

const chunkBytes = 64 * 1024

/** Yields the bytes of a source in pieces. Always releases its reader, and cancels it unless it was read to its end. */
export async function* chunksOf(
  source: PhoneBookSource,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  if (isBytes(source)) {
    for (let from = 0; from < source.length; from += chunkBytes) yield source.subarray(from, from + chunkBytes)
    return
  }
  const reader = ('getReader' in source ? source : source.stream()).getReader() as ReadableStreamDefaultReader<unknown>
  let isDone = false
  try {
    for (;;) {
      const { done, value } = await unlessAborted(reader.read(), signal)
      if (done) {
        isDone = true
        return
      }
      // A large piece is split, so that the signal is checked in between.
      const bytes = bytesOf(value)
      for (let from = 0; from < bytes.length; from += chunkBytes) yield bytes.subarray(from, from + chunkBytes)
    }
  } finally {
    if (!isDone) reader.cancel(signal.reason).catch(() => undefined)
    reader.releaseLock()
  }
}

export function checkSource(source: unknown): void {
  if (isBytes(source)) return
  const { stream, getReader } = Object(source) as { stream?: unknown; getReader?: unknown }
  if (typeof stream === 'function' || typeof getReader === 'function') return
  throw wrong('source', 'a Blob, a Uint8Array or a ReadableStream of bytes', source)
}

function bytesOf(value: unknown): Uint8Array {
  if (isBytes(value)) return value
  if (Object.prototype.toString.call(value) === '[object ArrayBuffer]') return new Uint8Array(value as ArrayBuffer)
  throw wrong('source', 'a ReadableStream that gives Uint8Arrays', value)
}
