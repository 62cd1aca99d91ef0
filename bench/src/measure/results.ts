import { writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { print, type Row, rounded } from '../report.ts'
import type { Measured, Workload } from './rounds.ts'

/** Prints a table of one workload: medians with their ranges, and the ratio of each median to that of the first contestant. */
export function printWorkload(workload: Workload): void {
  const { id, title, rounds, contestants, others, notes } = workload
  const [base] = contestants
  const rows = contestants.map(contestant => rowOf(contestant, base as Measured))
  print(`${id}: ${title} (${rounds} rounds; others took ${Math.round(median(others))} % of a core)`, rows)
  for (const note of notes) console.log(`  ${note}`)
}

function rowOf(contestant: Measured, base: Measured): Row {
  const row: Row = { ' ': contestant.name }
  for (const [figure, values] of contestant.values) {
    const range = `${rounded(median(values))} (${rounded(Math.min(...values))}–${rounded(Math.max(...values))})`
    const compared = base.values.get(figure)
    const isBase = contestant === base || !compared
    row[figure] = isBase ? range : `${range} ${rounded(median(values) / median(compared))}x`
  }
  return row
}

/** Writes all figures of a run, for drawing or comparing them later. */
export function writeResults(file: string, placed: string, workloads: readonly Workload[]): void {
  const written = workloads.map(({ contestants, ...workload }) => ({
    ...workload,
    contestants: contestants.map(({ name, values, samples }) => ({
      name,
      figures: figuresOf(values),
      ...(samples.length > 0 && { distribution: distributionOf(samples) }),
    })),
  }))
  const machine = { cores: cpus().length, model: cpus()[0]?.model, node: process.version, placed }
  writeFileSync(
    file,
    `${JSON.stringify({ at: new Date().toISOString(), machine, workloads: written }, undefined, 2)}\n`,
  )
}

function figuresOf(values: Measured['values']): Record<string, object> {
  return Object.fromEntries(
    [...values].map(([figure, all]) => [
      figure,
      { median: median(all), least: Math.min(...all), most: Math.max(...all), values: all },
    ]),
  )
}

/** Shares of the samples for which the percentiles are written: enough to draw them. */
const shares = [0, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.98, 0.99, 0.995, 0.998, 0.999]

function distributionOf(samples: readonly number[]): { share: number; ms: number }[] {
  const sorted = [...samples].sort((a, b) => a - b)
  return shares.map(share => ({
    share,
    ms: sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0,
  }))
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1
    ? (sorted[middle] as number)
    : ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2
}
