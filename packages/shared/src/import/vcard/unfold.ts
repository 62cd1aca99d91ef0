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
  /** Whether the value of such a property is wanted; if not, it is skipped without being stored, as pictures are. */
  isWanted(name: string): boolean
  /** Whether the card is in version 2.1, in which a fold stands for white space. */
  isOld(): boolean
  take(property: UnfoldedProperty): void
  /** A line that belongs to no property. */
  stray(line: Line): void
}

/** A property whose value may continue. */
interface OpenProperty {
  property: UnfoldedProperty
  /** Whether the value is stored. */
  isWanted: boolean
  parts: string[]
  length: number
  /** Whether the last line ended in a soft line break of quoted-printable. */
  isSoftBroken: boolean
}

/**
 * Joins the lines of each property:
 *
 *   - a line that begins with white space continues the previous one (in 2.1, the white space belongs to the value);
 *   - quoted-printable continues after an `=` at the end, also over empty lines that a conversion of line ends inserted;
 *   - base64 continues on any line without a colon, and ends at an empty one.
 */
export class Unfolder {
  readonly #port: UnfoldPort
  readonly #effort: Effort
  #open: OpenProperty | undefined
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
    if (this.#open?.isSoftBroken && this.#continues(this.#open, text, isBlank)) return
    if (isBlank) return this.flush()
    const isFold = (text[0] === ' ' || text[0] === '\t') && !isEdge.test(text)
    if (isFold && this.#headless) return this.#foldHead(this.#headless, line)
    if (isFold && this.#open) return this.#fold(line)
    if (this.#open?.property.encoding === 'base64' && !text.includes(':')) return this.#append(text.trim(), line.isCut)
    this.flush()
    this.#begin(line)
  }

  /** Passes on the property that was read last. */
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

  /** Whether the line is the rest of a quoted-printable value. */
  #continues(open: OpenProperty, text: string, isBlank: boolean): boolean {
    if (isBlank) {
      this.#isAfterBlank = true
      return true
    }
    if (this.#isAfterBlank ? looksLikeProperty(text) : isEdge.test(text)) return false
    this.#isAfterBlank = false
    open.isSoftBroken = false
    this.#append(text, false)
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
    const { value } = property
    const isWanted = this.#port.isWanted(property.name)
    const isCut = line.isCut && isWanted
    this.#open = {
      property: Object.assign(property, { line: line.number, isCut, value: '' }),
      ...{ isWanted, parts: [], length: 0, isSoftBroken: false },
    }
    this.#append(value, isCut)
    // No line continues these, so a card is complete with its last line.
    if (property.name === 'BEGIN' || property.name === 'END') this.flush()
  }

  #append(text: string, isCut: boolean): void {
    const open = this.#open
    if (!open) return
    let end = text.length
    if (open.property.encoding === 'quoted-printable') {
      // A mail program may have inserted white space after the break.
      while (text[end - 1] === ' ' || text[end - 1] === '\t') end--
      open.isSoftBroken = text[end - 1] === '='
      if (open.isSoftBroken) end--
    }
    if (!open.isWanted) return
    const room = maxValueBytes - open.length
    if (end > room || isCut) open.property.isCut = true
    if (room <= 0) return
    open.parts.push(text.slice(0, Math.min(end, room)))
    open.length += Math.min(end, room) + 1 // The number of empty parts is bounded too.
  }
}

/** The first or last line of a card, possibly indented. */
const isEdge = /^[ \t]*(?:BEGIN|END):VCARD[ \t]*$/i
