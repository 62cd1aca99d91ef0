import * as decoding from 'lib0/decoding'
import * as encoding from 'lib0/encoding'
import { expectKnown } from '../../../relations/unknown-record.ts'
import type { Operation } from '../operations.ts'
import { byteOrdered, keyOf } from './byte-order.ts'

/** A record of a slice: its bytes, or `undefined` if the change removes it. */
export type StagedRecord = Uint8Array | undefined

const removal = 0
const record = 1

/** Operations of a change, in the order of their keys, stored as one record. */
export class Slice {
  readonly bytes: Uint8Array
  /** Byte-ordered. */
  readonly keys: readonly string[]
  /** Where each operation begins in the bytes. */
  readonly #starts: readonly number[]

  private constructor(bytes: Uint8Array, keys: readonly string[], starts: readonly number[]) {
    this.bytes = bytes
    this.keys = keys
    this.#starts = starts
  }

  /** The operations in the order of their keys, each key once. */
  static of(operations: readonly Operation[]): Slice {
    const encoder = encoding.createEncoder()
    const starts = operations.map(operation => {
      const start = encoding.length(encoder)
      encoding.writeVarString(encoder, operation.key)
      encoding.writeUint8(encoder, operation.type === 'put' ? record : removal)
      encoding.writeVarUint8Array(encoder, operation.type === 'put' ? operation.value : nothing)
      return start
    })
    return new Slice(
      encoding.toUint8Array(encoder),
      operations.map(({ key }) => byteOrdered(key)),
      starts,
    )
  }

  /** The operations in a stored slice. */
  static *operationsOf(bytes: Uint8Array): Iterable<Operation> {
    const decoder = decoding.createDecoder(bytes)
    while (decoding.hasContent(decoder)) yield readOperation(decoder)
  }

  get first(): string {
    return this.keys[0] as string
  }

  get last(): string {
    return this.keys.at(-1) as string
  }

  at(index: number): StagedRecord {
    const decoder = decoding.createDecoder(this.bytes)
    decoder.pos = this.#starts[index] as number
    const operation = readOperation(decoder)
    return operation.type === 'put' ? operation.value : undefined
  }

  /** The operations, without the records of these keys. */
  *operationsWithout(skipped: ReadonlySet<string>): Iterable<Operation> {
    for (const [index, ordered] of this.keys.entries()) {
      const key = keyOf(ordered)
      if (skipped.has(key)) continue
      const value = this.at(index)
      yield value === undefined ? { type: 'del', key } : { type: 'put', key, value }
    }
  }
}

const nothing = new Uint8Array()

function readOperation(decoder: decoding.Decoder): Operation {
  const key = decoding.readVarString(decoder)
  const kind = decoding.readUint8(decoder)
  expectKnown(kind === record || kind === removal, 'a staged operation')
  const value = decoding.readVarUint8Array(decoder)
  return kind === record ? { type: 'put', key, value } : { type: 'del', key }
}
