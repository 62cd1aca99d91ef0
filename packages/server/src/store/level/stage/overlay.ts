import type { KeyRange } from '../keys.ts'
import { byteOrdered, keyOf } from './byte-order.ts'
import { decodeMarker } from './marker.ts'
import type { Slice, StagedRecord } from './slice.ts'

/** Where a record is staged. */
export interface Staged {
  key: string
  slice: number
  /** The index within the slice. */
  place: number
}

/** The records that a change has staged, which reads overlay on the content of the database. */
export class Overlay {
  readonly slices: readonly Slice[]

  constructor(slices: readonly Slice[]) {
    this.slices = slices
  }

  find(key: string): Staged | undefined {
    const ordered = byteOrdered(key)
    const index = firstFrom(this.slices.length, at => (this.slices[at] as Slice).last >= ordered)
    const slice = this.slices[index]
    if (!slice) return undefined
    const place = firstFrom(slice.keys.length, at => (slice.keys[at] as string) >= ordered)
    return slice.keys[place] === ordered ? { key, slice: index, place } : undefined
  }

  /** Returns the record, or `undefined` if the change removes it. */
  valueOf({ slice, place }: Staged): StagedRecord {
    return this.slices[slice]?.at(place)
  }

  hasAnyIn(range: KeyRange): boolean {
    return !this.within(range)[Symbol.iterator]().next().done
  }

  /** In the order of the database. */
  *within({ gt, lt }: KeyRange): IterableIterator<Staged> {
    const after = byteOrdered(gt)
    const before = byteOrdered(lt)
    let index = firstFrom(this.slices.length, at => (this.slices[at] as Slice).last > after)
    for (let slice = this.slices[index]; slice && slice.first < before; slice = this.slices[++index]) {
      const { keys } = slice
      for (let place = firstFrom(keys.length, at => (keys[at] as string) > after); ; place++) {
        const ordered = keys[place]
        if (ordered === undefined || ordered >= before) break
        yield { key: keyOf(ordered), slice: index, place }
      }
    }
  }
}

/** Returns which staged records count in addition to one snapshot of the database. `marker`: the record in that snapshot. */
export function countsBeside(marker: Uint8Array | undefined): (staged: Staged) => boolean {
  if (!marker) return () => false
  const { applied, skipped } = decodeMarker(marker)
  return ({ slice, key }) => !(applied.has(slice) || skipped.has(key))
}

/** Returns the first index at which `isReached` holds, or `length` if there is none. It holds for all later indexes. */
function firstFrom(length: number, isReached: (index: number) => boolean): number {
  let low = 0
  let high = length
  while (low < high) {
    const middle = (low + high) >> 1
    if (isReached(middle)) high = middle
    else low = middle + 1
  }
  return low
}
