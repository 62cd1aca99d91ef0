import assert from 'node:assert/strict'
import { print, type Row } from '../report.ts'

/** The maximum of each figure. Only the generation has no bound, because it is a counter. */
export type Bounds = Readonly<Record<string, number>>

/**
 * Prints the figures of several times: a row for each figure, a column for each time, and then the bound. Throws when a figure
 * is above its bound.
 */
export function printBounded(heading: string, measured: ReadonlyMap<string, Row>, bounds: Bounds): void {
  const [first] = measured.values()
  const rows = Object.keys(first ?? {}).map((figure): Row => {
    const values = [...measured].map(([when, row]) => [when, row[figure] as number])
    return { ' ': figure, ...Object.fromEntries(values), 'at most': bounds[figure] ?? '' }
  })
  print(heading, rows)
  for (const [figure, most] of Object.entries(bounds)) {
    for (const [when, row] of measured) {
      assert.ok(Number(row[figure]) <= most, `${heading}, ${when}: ${figure} is ${row[figure]}, and ${most} at most`)
    }
  }
}
