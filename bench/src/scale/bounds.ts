import { median } from '../measure/results.ts'
import type { Workload } from '../measure/rounds.ts'
import { print, type Row, rounded } from '../report.ts'

/** How many times longer a figure may be on the large store than on the small one. */
const mostTimes = 1.25
/** The maximum duration of a turn of the event loop, for which all other users wait. */
const mostTurnMs = 20
/** The maximum p99 of the bystanders: this many times the quiet p99, or half a frame of a screen. */
const mostTimesQuiet = 3
const floorMs = 10

/** Prints the medians of each figure on the small and the large store, and their ratio. Returns the bounds that are missed. */
export function printRatios(workloads: readonly Workload[]): string[] {
  const missed: string[] = []
  const rows: Row[] = []
  for (const { id, title, contestants } of workloads) {
    const [small, large] = contestants
    for (const [figure, values] of large?.values ?? []) {
      const [before, after] = [median(small?.values.get(figure) ?? []), median(values)]
      // For a rate, a higher value is better.
      const ratio = figure.endsWith('/s') ? before / after : after / before
      const isBound = !figure.startsWith('KiB resident') && figure !== 'bytes up'
      rows.push({
        ' ': `${id}: ${title}`,
        figure,
        [small?.name ?? '']: rounded(before),
        [large?.name ?? '']: rounded(after),
        ratio: rounded(ratio),
        'at most': isBound ? mostTimes : '',
      })
      if (isBound && !(ratio <= mostTimes)) missed.push(`${id}: ${figure} ${rounded(ratio)}x, at most ${mostTimes}x`)
    }
  }
  print('The large store beside the small one: medians of all rounds', rows)
  return missed
}

/** Prints the figures of the famous owner. Returns the bounds that are missed. */
export function printFamous(rows: readonly Row[]): string[] {
  print(
    `The most followed owner; turns at most ${mostTurnMs} ms, the bystanders' p99 at most ${mostTimesQuiet} times the quiet one or ${floorMs} ms`,
    rows,
  )
  const missed: string[] = []
  const mostMs = Math.max(floorMs, mostTimesQuiet * Number(rows[0]?.['bystander p99: ms']))
  for (const row of rows) {
    if (Number(row['longest turn: ms']) > mostTurnMs)
      missed.push(`${row[' ']}: a turn of ${row['longest turn: ms']} ms`)
    if (Number(row['bystander p99: ms']) > mostMs)
      missed.push(`${row[' ']}: bystanders' p99 ${row['bystander p99: ms']} ms`)
  }
  return missed
}
