import { type ContactEntry, type PhoneBookFormat, PhoneBookReader } from '@kith/shared/import'
import { checkIsObject, wrong } from '../api/arguments.ts'
import { nextTurn } from '../turn.ts'
import { unlessAborted } from './abort.ts'
import { checkSource, chunksOf, type PhoneBookSource } from './chunks.ts'
import { checkSignal } from './signal.ts'

/** The options of `readContacts`. */
export interface ReadContactsOptions {
  /** By default, the first lines determine it. */
  format?: PhoneBookFormat
  /** Ends the reading: the iteration then rejects with the reason of the signal. */
  signal?: AbortSignal
}

/**
 * Reads a phone book: vCard 2.1, 3.0 or 4.0, or CSV as Google and Outlook write it. Returns an iterable with one entry for each
 * card or row, in the order of the file, even if the entry is broken: `diagnoses` says what is wrong. A broken file does not make
 * it reject; an error of a stream and an abort do. The source is read during the iteration, and is cancelled when the iteration
 * ends early.
 *
 * ```ts
 * for await (const { name, phoneNumbers, diagnoses } of readContacts(file)) console.log(name, phoneNumbers, diagnoses)
 * ```
 *
 * Throws a `TypeError` for a wrong argument.
 *
 * @param source - The bytes: a file, an array or a stream.
 * @param options - The format, if the first lines do not determine it, and a signal.
 */
export function readContacts(source: PhoneBookSource, options: ReadContactsOptions = {}): AsyncIterable<ContactEntry> {
  checkSource(source)
  checkIsObject(options)
  const { format, signal } = options
  if (format !== undefined && format !== 'vcard' && format !== 'csv') {
    throw wrong('format', "'vcard' or 'csv'", format)
  }
  checkSignal(signal)
  return { [Symbol.asyncIterator]: () => iterate(source, format, signal) }
}

/** Its `return` also ends a pending read of a source that provides no data. */
function iterate(
  source: PhoneBookSource,
  format: PhoneBookFormat | undefined,
  signal: AbortSignal | undefined,
): AsyncIterator<ContactEntry, void, undefined> {
  const ending = new AbortController()
  const entries = entriesOf(source, format, signal, ending)
  return {
    next: () => entries.next(),
    return: () => {
      ending.abort()
      return entries.return()
    },
  }
}

async function* entriesOf(
  source: PhoneBookSource,
  format: PhoneBookFormat | undefined,
  signal: AbortSignal | undefined,
  ending: AbortController,
): AsyncGenerator<ContactEntry, void, undefined> {
  signal?.throwIfAborted()
  const abort = (): void => ending.abort(signal?.reason)
  signal?.addEventListener('abort', abort, { once: true })
  try {
    const book = new PhoneBookReader(format)
    for await (const bytes of chunksOf(source, ending.signal)) {
      yield* unaborted(book.push(bytes), ending.signal)
      await unlessAborted(nextTurn(), ending.signal)
    }
    yield* unaborted(book.end(), ending.signal)
  } finally {
    signal?.removeEventListener('abort', abort)
  }
}

function* unaborted(entries: readonly ContactEntry[], signal: AbortSignal): Generator<ContactEntry> {
  signal.throwIfAborted()
  for (const entry of entries) {
    yield entry
    signal.throwIfAborted()
  }
}
