import * as decoding from 'lib0/decoding'

/** A client and its clock take a byte each at least. */
const leastBytesPerClient = 2

/**
 * How many clients a state vector says that it names, without reading them. `Infinity` for what is none: it says more than
 * its bytes can hold, or nothing.
 */
export function clientsNamed(stateVector: Uint8Array): number {
  try {
    const count = decoding.readVarUint(decoding.createDecoder(stateVector))
    return count * leastBytesPerClient < stateVector.length ? count : Number.POSITIVE_INFINITY
  } catch {
    return Number.POSITIVE_INFINITY
  }
}
