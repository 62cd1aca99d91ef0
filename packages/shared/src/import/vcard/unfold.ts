import { maxValueBytes } from '../bounds.ts'
import type { Effort } from '../effort.ts'
import type { Line } from '../text/lines.ts'
import { looksLikeProperty, type Property, parseProperty } from './property.ts'

/** A property with all its lines joined. */
export interface UnfoldedProperty extends Property {
  /** The line at which it begins. */
  line: number
  /** Whether its value was too long, and its rest is missing. */
  isCut: boolean
}

export interface UnfoldPort {
  /** Whether the value of such a property is wanted; if not, it is passed over without being kept, as pictures are. */
  isWanted(name: string): boolean
  /** Whether the card is in version 2.1, in which a fold stands for white space. */
  isOld(): boolean
  take(property: UnfoldedProperty): void
  /** A line that belongs to no property. */
  stray(line: Line): void
}

/**
 * Joins the lines of each property:
 *
 *   - a line that begins with white space continues the one before (in 2.1 the white space belongs to the value);
 *   - quoted-printable continues after an `=` at the end, also over empty lines that a conversion of line ends put between;
 *   - base64 continues on any line without a colon, and ends at an empty one.
 */
export class Unfolder {
  readonly #port: UnfoldPort
  readonly #effort: Effort
  #open: { property: UnfoldedProperty; isWanted: boolean; parts: string[]; length: number } | undefined
  /** A line without a colon, which a folded line may complete: `ADR;LABEL="Heidestraße 17"`, then ` :;;…`. */
  #headless: Line | undefined
  /** Whether an empty line followed a soft line break. */
  #isAfterBlank = false

  constructor(effort: Effort, port: UnfoldPort) {
    this.#effort = effort
    this.#port = port
  }

  push(line: Line): void {
    const { text } = line
    this.#effort.visited += text.length
    const isBlank = text.trim() === ''
    if (this.#isSoftBroken() && this.#continues(text, isBlank)) return
    if (isBlank) return this.flush()
    if (this.#headless && (text[0] === ' ' || text[0] === '\t')) return this.#foldHead(this.#headless, line)
    if (this.#open && (text[0] === ' ' || text[0] === '\t')) return this.#fold(line)
    if (this.#open?.property.encoding === 'base64' && !text.includes(':')) return this.#append(text.trim(), line.isCut)
    this.flush()
    this.#begin(line)
  }

  /** Hands over the property that was read last. */
  flush(): void {
    const open = this.#open
    this.#open = undefined
    this.#isAfterBlank = false
    if (this.#headless) this.#port.stray(this.#headless)
    this.#headless = undefined
    if (!open) return
    this.#effort.visited += open.length
    open.property.value = open.parts.join('')
    this.#port.take(open.property)
  }

  #isSoftBroken(): boolean {
    const { property, parts } = this.#open ?? {}
    return property?.encoding === 'quoted-printable' && parts?.at(-1)?.endsWith('=') === true
  }

  /** Whether the line is the rest of a quoted-printable value. */
  #continues(text: string, isBlank: boolean): boolean {
    if (isBlank) {
      this.#isAfterBlank = true
      return true
    }
    const isNext = this.#isAfterBlank ? looksLikeProperty(text) : /^(?:BEGIN|END):VCARD\s*$/i.test(text)
    if (isNext) return false
    this.#isAfterBlank = false
    const parts = this.#open?.parts ?? []
    parts.push((parts.pop() ?? '').slice(0, -1))
    this.#append(text.trimEnd(), false)
    return true
  }

  #fold({ text, isCut }: Line): void {
    const isOld = this.#port.isOld() && this.#open?.property.encoding !== 'base64'
    this.#append(isOld ? ` ${text.trimStart()}` : text.slice(1), isCut)
  }

  #foldHead({ text, number }: Line, { text: fold, isCut }: Line): void {
    this.#headless = undefined
    const room = Math.max(maxValueBytes - text.length, 0)
    this.#begin({ text: text + fold.slice(1, room), number, isCut }, fold.includes(':'))
  }

  #begin(line: Line, hasColon = true): void {
    const property = hasColon ? parseProperty(line.text.trimStart()) : undefined
    if (!property) {
      this.#headless = line
      return
    }
    const value = property.encoding === 'quoted-printable' ? property.value.trimEnd() : property.value
    const isWanted = this.#port.isWanted(property.name)
    this.#open = {
      property: Object.assign(property, { line: line.number, isCut: line.isCut && isWanted }),
      isWanted,
      // The last character says whether a value that is not wanted goes on.
      parts: [isWanted ? value : value.slice(-1)],
      length: value.length,
    }
    // No line continues these, so a card is complete with its last line.
    if (property.name === 'BEGIN' || property.name === 'END') this.flush()
  }

  #append(text: string, isCut: boolean): void {
    const open = this.#open
    if (!open) return
    if (!open.isWanted) {
      open.parts = [text.slice(-1)]
      return
    }
    const room = Math.max(maxValueBytes - open.length, 0)
    if (text.length > room || isCut) open.property.isCut = true
    const kept = text.slice(0, room)
    // The end of the line says whether the value goes on, even when there is no room for it.
    open.parts.push(kept.length < text.length && text.endsWith('=') ? `${kept}=` : kept)
    open.length += kept.length
  }
}
