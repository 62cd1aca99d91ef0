import { utf8Length } from '../../limits.ts'
import type { ContactEntry } from '../entry.ts'

/** An address of a phone book as a user id, with its name in the phone book. */
export interface ImportContact {
  address: string
  label: string | undefined
}

/** A rejected address, as written; `undefined` for an entry without an address of the wanted kind. */
export interface InvalidContact {
  address: string | undefined
  label: string | undefined
  reason: InvalidImportReason
  /** The line of the entry. */
  line: number
}

/** Why an entry of a phone book, or one of its addresses, is not imported. */
export type InvalidImportReason = 'malformed' | 'too-long' | 'self' | 'not-a-phone-number' | 'ambiguous' | 'no-address'

/** Which values of an entry are addresses. */
export type AddressKind = 'phone-numbers' | 'emails' | 'both'

export interface BookOptions {
  /** The user whose phone book it is. */
  self: string
  kind: AddressKind
  parse(input: string): { id: string } | { reason: Exclude<InvalidImportReason, 'no-address'> }
  /** Longer names are truncated. */
  labelBytes: number
}

/** The addresses of all entries of a phone book, each once. */
export class PhoneBook {
  /** Address → label. Of several entries with one address, the first name counts. */
  readonly contacts: Map<string, string | undefined> = new Map()
  readonly invalid: InvalidContact[] = []
  readonly #options: BookOptions

  constructor(options: BookOptions) {
    this.#options = options
  }

  add({ name, phoneNumbers, emails, line }: ContactEntry): void {
    const { kind, self, parse, labelBytes } = this.#options
    const label = name === undefined ? undefined : labelOf(name, labelBytes)
    const inputs = [...(kind === 'emails' ? [] : phoneNumbers), ...(kind === 'phone-numbers' ? [] : emails)]
    if (inputs.length === 0) this.invalid.push({ address: undefined, label, reason: 'no-address', line })
    for (const input of inputs) {
      const parsed = parse(input)
      if (!('id' in parsed)) this.invalid.push({ address: input, label, reason: parsed.reason, line })
      else if (parsed.id === self) this.invalid.push({ address: input, label, reason: 'self', line })
      else this.contacts.set(parsed.id, this.contacts.get(parsed.id) ?? label)
    }
  }
}

/** Returns a name as a label: well-formed, and truncated to the bytes that there is room for. */
function labelOf(name: string, mostBytes: number): string | undefined {
  let label = name.replace(/\p{Cs}/gu, '\ufffd').trim()
  if (utf8Length(label) > mostBytes) {
    let bytes = 0
    let length = 0
    for (const character of label) {
      bytes += utf8Length(character)
      if (bytes > mostBytes) break
      length += character.length
    }
    label = label.slice(0, length).trim()
  }
  return label === '' ? undefined : label
}
