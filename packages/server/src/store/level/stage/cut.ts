import { sortedInTurns } from '../../../relations/sorted-in-turns.ts'
import { Turns } from '../../../turns.ts'
import type { Operation } from '../operations.ts'
import { byteOrdered } from './byte-order.ts'
import { Slice } from './slice.ts'

/** A slice is written while all other commits wait. With this many bytes, that takes a few milliseconds. */
const mostBytesInSlice = 128 * 1024
/** A larger record is written once, with the commit itself, instead of twice. */
const mostBytesStaged = 256 * 1024
/** The number of operations that are sorted or encoded in one slice of work. */
const operationsInTurn = 200

export interface Cut {
  slices: Slice[]
  /** Operations with records that are too large for a slice. */
  large: Operation[]
}

/** Cuts the operations of a change into slices, in the order of their keys. Of two operations on one key, the last counts. */
export async function cutIntoSlices(operations: readonly Operation[], operationsInSlice: number): Promise<Cut> {
  const turns = new Turns(operationsInTurn)
  const byKey = new Map<string, Operation>()
  for (const operation of operations) {
    byKey.set(byteOrdered(operation.key), operation)
    if (turns.isOver()) await turns.pass()
  }
  const cut: Cut = { slices: [], large: [] }
  let slice: Operation[] = []
  let bytes = 0
  const end = (): void => {
    if (slice.length > 0) cut.slices.push(Slice.of(slice))
    slice = []
    bytes = 0
  }
  for (const key of await sortedInTurns([...byKey.keys()], turns)) {
    const operation = byKey.get(key) as Operation
    if (sizeOf(operation) > mostBytesStaged) cut.large.push(operation)
    else {
      slice.push(operation)
      bytes += sizeOf(operation)
    }
    if (slice.length >= operationsInSlice || bytes >= mostBytesInSlice) end()
    if (turns.isOver()) await turns.pass()
  }
  end()
  return cut
}

function sizeOf(operation: Operation): number {
  return operation.key.length + (operation.type === 'put' ? operation.value.length : 0)
}
