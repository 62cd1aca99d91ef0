import type { ContactFacts } from '@kith/shared'
import * as decoding from 'lib0/decoding'
import * as encoding from 'lib0/encoding'
import { readSide, writeSide } from '../relations/side-codec.ts'

/** Encodes what a roster says about other users, as bytes that are transferred between threads without a copy. */
export function encodeFacts(facts: ReadonlyMap<string, ContactFacts>): Uint8Array {
  const encoder = encoding.createEncoder()
  encoding.writeVarUint(encoder, facts.size)
  for (const [user, one] of facts) {
    encoding.writeVarString(encoder, user)
    writeSide(encoder, { said: one, unconfirmed: '' })
  }
  return encoding.toUint8Array(encoder)
}

/** The same facts, decoded one by one on demand. Decoding tens of thousands together would block the event loop [S3]. */
export class EncodedFacts implements Iterable<[string, ContactFacts]> {
  readonly size: number
  readonly #bytes: Uint8Array

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
    this.size = decoding.readVarUint(decoding.createDecoder(bytes))
  }

  *[Symbol.iterator](): Iterator<[string, ContactFacts]> {
    const decoder = decoding.createDecoder(this.#bytes)
    for (let left = decoding.readVarUint(decoder); left > 0; left--) {
      yield [decoding.readVarString(decoder), readSide(decoder).said]
    }
  }
}
