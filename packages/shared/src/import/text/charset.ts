import type { Effort } from '../effort.ts'
import { bytesOf, isAscii } from './bytes.ts'

let utf8: TextDecoder | undefined
const decoders = new Map<string, TextDecoder | undefined>()

/** The decoder of a character set by any of its names; `undefined` if the platform does not know the name. */
export function decoderOf(label: string): TextDecoder | undefined {
  const name = label.trim().toLowerCase()
  if (decoders.has(name)) return decoders.get(name)
  const decoder = newDecoder(name) ?? newDecoder(name.replace(/^(?:cp|win|windows)[-_]?(?=\d+$)/, 'windows-'))
  if (decoders.size < mostDecoders) decoders.set(name, decoder)
  return decoder
}

const mostDecoders = 100

function newDecoder(label: string): TextDecoder | undefined {
  try {
    return new TextDecoder(label)
  } catch {
    return undefined
  }
}

/**
 * Decodes a text without a named character set as UTF-8; text in another character set is hardly ever valid UTF-8 by chance.
 * Returns `undefined` when it is not UTF-8.
 */
export function decodeUtf8(binary: string, effort: Effort): string | undefined {
  effort.visited += binary.length
  if (isAscii(binary)) return binary
  try {
    utf8 ??= new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
    return utf8.decode(bytesOf(binary))
  } catch {
    return decodeDamagedUtf8(binary)
  }
}

/** Damaged UTF-8, as in a file that was cut within a character, has more correct sequences than wrong ones. */
function decodeDamagedUtf8(binary: string): string | undefined {
  const whole = binary.match(utf8Sequences) ?? []
  const length = whole.reduce((sum, sequence) => sum + sequence.length, 0)
  const high = binary.match(/[\x80-\xff]/g)?.length ?? 0
  return whole.length > 0 && length * 2 > high ? decoderOf('utf-8')?.decode(bytesOf(binary)) : undefined
}

const utf8Sequences = /[\xc3-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}/g

/**
 * Decodes a text with a named character set. UTF-8 text that is labelled ASCII is read as UTF-8; other text that is labelled
 * UTF-8 is read as unlabelled. Returns `undefined` when the name does not help.
 */
export function decodeLabelled(binary: string, label: string, effort: Effort): string | undefined {
  effort.visited += binary.length
  const isStateful = /2022|utf-?7/i.test(label)
  if (isAscii(binary) && !isStateful) return binary
  if (/^\s*(?:utf-?8|us-ascii|ascii)\s*$/i.test(label)) return decodeUtf8(binary, effort)
  return decoderOf(label)?.decode(bytesOf(binary))
}
