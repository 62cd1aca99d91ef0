import { maxGroupBytes, maxNestedCards } from '../bounds.ts'
import type { Effort } from '../effort.ts'
import type { ContactEntry } from '../entry.ts'
import type { Line } from '../text/lines.ts'
import { Card } from './card.ts'
import { isKept } from './kept.ts'
import { parseProperty } from './property.ts'
import { unescapeText } from './text.ts'
import { type UnfoldedProperty, Unfolder } from './unfold.ts'

/**
 * Makes entries of the lines of a vCard file, one for each card, in the order in which the cards begin. A card may be within
 * another one (as an AGENT, or because a phone exports a group in this way). A card may lack its BEGIN if the head of the file
 * is missing, and its END if another card or the end of the file comes first.
 */
export class VcardReader {
  readonly #effort: Effort
  readonly #take: (entry: ContactEntry) => void
  readonly #unfolder: Unfolder
  /** The cards that have not ended, each within the previous one. */
  #open: Card[] = []
  /** The outermost open card and all cards within it, in order. */
  #group: Card[] = []
  #groupBytes = 0
  #index = 0
  /** Whether the outermost card had no BEGIN, so that the next card is not within it. */
  #isHeadless = false
  /** The last character set that was guessed. */
  #charset: string | undefined

  constructor(effort: Effort, take: (entry: ContactEntry) => void) {
    this.#effort = effort
    this.#take = take
    this.#unfolder = new Unfolder(effort, {
      isWanted: name => isKept(name) || shortNames.has(name),
      isOld: () => this.#open.at(-1)?.isOld ?? false,
      take: property => this.#property(property),
      stray: line => this.#stray(line),
    })
  }

  push(line: Line): void {
    this.#unfolder.push(line)
  }

  end(): void {
    this.#unfolder.flush()
    this.#endAll('The card has no END:VCARD: the file may have been cut off')
  }

  #property(property: UnfoldedProperty): void {
    const { name, line } = property
    const isOfCard = property.value.trim().toUpperCase() === 'VCARD'
    if (name === 'BEGIN') {
      if (isOfCard) this.#begin(line)
    } else if (name === 'END') {
      if (isOfCard) this.#end()
    } else if (name === 'AGENT') this.#agent(property)
    else this.#add(property)
  }

  #begin(line: number): void {
    const isTooMuch = this.#group.length >= maxNestedCards || this.#groupBytes > maxGroupBytes
    if (isTooMuch) this.#endAll('The card has no END:VCARD before many other cards')
    if (this.#isHeadless) this.#endAll('The card has no END:VCARD')
    const card = new Card(line)
    this.#open.push(card)
    this.#group.push(card)
  }

  #end(): void {
    this.#open.pop()
    if (this.#open.length === 0) this.#handOver()
  }

  #endAll(reason: string): void {
    for (const card of this.#open) card.diagnoses.add(card.line, reason)
    this.#open = []
    this.#handOver()
  }

  #handOver(): void {
    for (const card of this.#group) {
      const { entry, charset } = card.entry(this.#charset, this.#effort)
      this.#charset = charset ?? this.#charset
      this.#take({ ...entry, index: this.#index++ })
    }
    this.#group = []
    this.#groupBytes = 0
    this.#isHeadless = false
  }

  #add(property: UnfoldedProperty): void {
    if (this.#open.length === 0) {
      if (!isKept(property.name)) return
      this.#begin(property.line)
      this.#isHeadless = true
      this.#open
        .at(-1)
        ?.diagnoses.add(property.line, 'The card has no BEGIN:VCARD: the head of the file may be missing')
    }
    const card = this.#open.at(-1)
    const before = card?.bytes ?? 0
    card?.add(property)
    this.#groupBytes += (card?.bytes ?? 0) - before
  }

  /** In 2.1, the agent's card follows unchanged; in 3.0 it is the value, with escaped line ends. */
  #agent({ value, line }: UnfoldedProperty): void {
    if (!/^\s*BEGIN:VCARD/i.test(value)) return
    const [, ...lines] = unescapeText(value, false).split('\n')
    this.#effort.visited += value.length
    const depth = this.#open.length
    this.#begin(line)
    for (const text of lines) {
      const property = parseProperty(text.trim())
      // An agent of an agent is ignored, so that no text is read twice.
      if (!property || property.name === 'AGENT' || property.name === 'BEGIN') continue
      if (property.name === 'END') break
      this.#add({ ...property, line, isCut: false })
    }
    if (lines.length > 0 && this.#open.length > depth) this.#end()
  }

  #stray({ number }: Line): void {
    this.#open.at(-1)?.diagnoses.add(number, 'The line is no property of a card, and was passed over')
  }
}

/** The properties that structure the file, besides those that make an entry. */
const shortNames = new Set(['BEGIN', 'END', 'VERSION', 'AGENT'])
