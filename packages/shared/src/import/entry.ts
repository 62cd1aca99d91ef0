/** A problem of an entry of a phone book, or what was done about it. */
export interface Diagnosis {
  /** The line of the file, from 1. */
  line: number
  /** A text for people. */
  reason: string
}

/** One card or row of a phone book, with its values as written, decoded. */
export interface ContactEntry {
  /** The number of the entry in the file, from 0. */
  index: number
  /** The line at which it begins, from 1. */
  line: number
  /** Absent when the entry has no name. */
  name?: string
  phoneNumbers: string[]
  emails: string[]
  diagnoses: Diagnosis[]
}

/** Collects the problems of one entry, and keeps the list short. */
export class Diagnoses {
  readonly list: Diagnosis[] = []
  #passedOver = 0

  add(line: number, reason: string): void {
    if (this.list.length < maxDiagnoses) this.list.push({ line, reason })
    else this.#passedOver++
  }

  /** The whole list, ordered by line. */
  get sorted(): Diagnosis[] {
    const sorted = [...this.list].sort((a, b) => a.line - b.line)
    const last = sorted.at(-1)
    if (last && this.#passedOver > 0) sorted.push({ line: last.line, reason: `${this.#passedOver} more like these` })
    return sorted
  }
}

const maxDiagnoses = 20

/** Adds what a complete entry lacks. */
export function diagnoseGaps(
  entry: Pick<ContactEntry, 'line' | 'name' | 'phoneNumbers' | 'emails'>,
  into: Diagnoses,
): void {
  if (entry.name === undefined) into.add(entry.line, 'There is no name')
  if (entry.phoneNumbers.length === 0 && entry.emails.length === 0) {
    into.add(entry.line, 'There is no phone number and no e-mail address')
  }
}
