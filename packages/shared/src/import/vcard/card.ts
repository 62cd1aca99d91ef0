import { maxCardBytes, maxSampleBytes } from '../bounds.ts'
import type { Effort } from '../effort.ts'
import { type ContactEntry, Diagnoses, diagnoseGaps } from '../entry.ts'
import { bytesOf, isAscii } from '../text/bytes.ts'
import { decodeLabelled, decoderOf, decodeUtf8 } from '../text/charset.ts'
import { guessCharset, type Hints } from '../text/guess.ts'
import { onOneLine } from '../text/one-line.ts'
import { decodeQuotedPrintable } from '../text/quoted-printable.ts'
import { isKept, type KeptName } from './kept.ts'
import { nameOf } from './name.ts'
import { unescapeText } from './text.ts'
import type { UnfoldedProperty } from './unfold.ts'

/** Collects the properties of one card. Its texts are decoded when it is complete, since any property may name the encoding. */
export class Card {
  readonly line: number
  readonly diagnoses: Diagnoses = new Diagnoses()
  isOld = false
  /** The bytes of the stored values. */
  bytes = 0
  readonly #properties: UnfoldedProperty[] = []
  /** The character set that a property of the card names; the others may have it too. */
  #charset: string | undefined
  #language: string | undefined
  #isFull = false

  constructor(line: number) {
    this.line = line
  }

  add(property: UnfoldedProperty): void {
    this.#language ??= property.language
    const { charset } = property
    if (charset && !/utf-?8|ascii/i.test(charset) && decoderOf(charset)) this.#charset ??= charset
    if (property.name === 'VERSION') this.isOld = property.value.trim() === '2.1'
    if (!isKept(property.name)) return
    if (property.isCut) this.diagnoses.add(property.line, `${property.name} is too long, and was cut off`)
    if (this.bytes + property.value.length > maxCardBytes) {
      if (!this.#isFull) this.diagnoses.add(property.line, 'The card is too large: the rest of it was passed over')
      this.#isFull = true
      return
    }
    this.bytes += property.value.length + overhead
    this.#properties.push(property)
  }

  /** Returns the entry of the card. The caller sets its index. `previous` is the character set of the earlier cards. */
  entry(previous: string | undefined, effort: Effort): { entry: ContactEntry; charset: string | undefined } {
    effort.visited += this.bytes
    const values = this.#properties.map(property => ({ property, binary: binaryValue(property) }))
    const guess = this.#guess(
      values.filter(({ property }) => !property.charset).map(({ binary }) => binary),
      { language: this.#language, previous },
      effort,
    )
    const texts: Record<KeptName, string[]> = { FN: [], N: [], NICKNAME: [], ORG: [], TEL: [], EMAIL: [] }
    for (const { property, binary } of values) {
      texts[property.name as KeptName].push(this.#decoded(property, binary, guess, effort))
    }
    const name = nameOf(texts, this.isOld, reason => this.diagnoses.add(this.line, reason))
    const entry = {
      ...{ index: 0, line: this.line, ...(name !== undefined && { name }) },
      phoneNumbers: texts.TEL.map(text => phoneNumberOf(unescapeText(text, this.isOld))).filter(text => text !== ''),
      emails: texts.EMAIL.map(text => emailOf(unescapeText(text, this.isOld))).filter(text => text !== ''),
    }
    diagnoseGaps(entry, this.diagnoses)
    return { entry: { ...entry, diagnoses: this.diagnoses.sorted }, charset: guess?.label }
  }

  /** The encoding of texts that are neither UTF-8 nor labelled; `undefined` when there are none. */
  #guess(unlabelled: readonly string[], hints: Hints, effort: Effort): { label: string } | undefined {
    const foreign = unlabelled.filter(binary => !isAscii(binary) && decodeUtf8(binary, effort) === undefined)
    if (foreign.length === 0) return undefined
    const sample = foreign.join('\n').slice(0, maxSampleBytes)
    return { label: this.#charset ?? guessCharset(bytesOf(sample), hints, effort) }
  }

  #decoded(property: UnfoldedProperty, binary: string, guess: { label: string } | undefined, effort: Effort): string {
    const { charset, line, name } = property
    const text = charset ? decodeLabelled(binary, charset, effort) : decodeUtf8(binary, effort)
    if (text !== undefined) {
      if (text.includes('\ufffd')) this.diagnoses.add(line, `${name} has bytes that are no text`)
      return text
    }
    const readAs = (label: string, decoded: string): string => {
      this.diagnoses.add(line, `${name} ${whyNot(charset)}, and was read as ${label}`)
      return decoded
    }
    const asUtf8 = decodeUtf8(binary, effort)
    if (asUtf8 !== undefined) return readAs('utf-8', asUtf8)
    const label = guess?.label ?? this.#charset ?? guessCharset(bytesOf(binary.slice(0, maxSampleBytes)), {}, effort)
    effort.visited += binary.length
    return readAs(label, decoderOf(label)?.decode(bytesOf(binary)) ?? binary)
  }
}

function whyNot(charset: string | undefined): string {
  if (!charset) return 'names no character set'
  const name = onOneLine(charset).slice(0, 40)
  return decoderOf(charset) ? `is not in ${name}` : `names the character set ${name}, which is unknown`
}

/** The cost of storing a value besides its bytes, so that the number of empty values is bounded too. */
const overhead = 64

function binaryValue({ value, encoding }: UnfoldedProperty): string {
  if (encoding === 'quoted-printable') return decodeQuotedPrintable(value)
  return encoding === 'base64' ? decodeBase64(value) : value
}

function decodeBase64(value: string): string {
  try {
    return atob(value)
  } catch {
    return value
  }
}

/** Returns a number as written; for a `tel:` URI, only the number. */
function phoneNumberOf(text: string): string {
  const number = onOneLine(text)
  return /^tel:/i.test(number) ? percentDecoded(number.slice(4)).trim() : number
}

function emailOf(text: string): string {
  const email = text.replace(/[\s\0]+/g, '') // A fold in vCard 2.1 may have inserted a space.
  return /^mailto:/i.test(email) ? percentDecoded(email.slice(7)) : email
}

function percentDecoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
