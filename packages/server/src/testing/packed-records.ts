import { partsOf } from '../store/level/keys.ts'
import type { Operation } from '../store/level/operations.ts'

const headBytes = 6

/** Records of one family in a compact sequence that can be transferred between threads. */
class PackedFamily {
  #bytes: Buffer = Buffer.allocUnsafe(64 * 1024)
  #length = 0

  add(key: string, value: Uint8Array): void {
    const keyBytes = Buffer.byteLength(key)
    const end = this.#length + headBytes + keyBytes + value.length
    if (end > this.#bytes.length) {
      const grown = Buffer.allocUnsafe(Math.max(end, 2 * this.#bytes.length))
      this.#bytes.copy(grown, 0, 0, this.#length)
      this.#bytes = grown
    }
    this.#bytes.writeUInt16LE(keyBytes, this.#length)
    this.#bytes.writeUInt32LE(value.length, this.#length + 2)
    this.#bytes.write(key, this.#length + headBytes)
    this.#bytes.set(value, end - value.length)
    this.#length = end
  }

  /** Returns a copy in memory of its own, of exactly the right size. */
  take(): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.#bytes.subarray(0, this.#length))
  }
}

/** By family. */
export type PackedRecords = ReadonlyMap<string, Uint8Array<ArrayBuffer>>

/** Packs the written records. A new store has nothing to delete. */
export function packed(operations: Iterable<Operation>, onPut: (family: string, id: string) => void): PackedRecords {
  const families = new Map<string, PackedFamily>()
  for (const operation of operations) {
    if (operation.type === 'del') continue
    const [family = '', id = ''] = partsOf(operation.key)
    onPut(family, id)
    const known = families.get(family) ?? new PackedFamily()
    families.set(family, known)
    known.add(operation.key, operation.value)
  }
  return new Map([...families].map(([name, family]) => [name, family.take()]))
}

/** The keys and values, as views of the bytes. */
export function* unpacked(bytes: Uint8Array): Iterable<[key: Uint8Array, value: Uint8Array]> {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  for (let at = 0; at < view.length; ) {
    const keyEnd = at + headBytes + view.readUInt16LE(at)
    const end = keyEnd + view.readUInt32LE(at + 2)
    yield [view.subarray(at + headBytes, keyEnd), view.subarray(keyEnd, end)]
    at = end
  }
}
