import assert from 'node:assert/strict'
import { print, type Row } from '../report.ts'

/** The most that each figure may be. A generation alone has no bound: it counts. */
export type Bounds = Readonly<Record<string, number>>

/**
 * Prints what was measured at several times: a row for each figure, a column for each time, and the bound behind them. Throws
 * when a figure is above its bound.
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
