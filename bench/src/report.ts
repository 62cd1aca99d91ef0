export type Row = Record<string, string | number>

/** Prints a heading and a table. */
export function print(heading: string, rows: readonly Row[]): void {
  console.log(`\n${heading}`)
  console.table(rows)
}

/** Returns a percentile of values in any order, in their unit, to two decimals. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return rounded(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN)
}

export function rounded(value: number): number {
  return Math.round(value * 100) / 100
}
