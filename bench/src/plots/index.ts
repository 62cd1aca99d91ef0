import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { type Chart, drawn, type Line } from './chart.ts'
import { readResults, type Workload } from './results.ts'
import { withTables } from './tables.ts'

const folder = fileURLToPath(new URL('../../../docs/performance/', import.meta.url))
const page = fileURLToPath(new URL('../../../docs/PERFORMANCE.md', import.meta.url))

/**
 * Draws the figures of these runs, files of `--json`, into `docs/performance`, and writes their tables into
 * `docs/PERFORMANCE.md`.
 */
export async function plots(files: readonly string[]): Promise<void> {
  if (files.length === 0) throw new Error('give the files that --json has written')
  const workloads = await readResults(files)
  await mkdir(folder, { recursive: true })
  for (const [name, chart] of chartsOf(workloads)) {
    await writeFile(`${folder}${name}.svg`, drawn(chart))
    console.log(`docs/performance/${name}.svg`)
  }
  await writeFile(page, withTables(await readFile(page, 'utf8'), workloads))
}

function* chartsOf(workloads: readonly Workload[]): Iterable<[name: string, chart: Chart]> {
  const of = (id: string): Workload[] =>
    workloads.filter(one => one.id === id).sort((a, b) => (a.at ?? 0) - (b.at ?? 0))
  for (const workload of of('W1')) {
    if (workload.contestants.some(({ distribution }) => distribution)) {
      yield [`w1-${workload.at ?? 0}`, latencies(workload)]
    }
  }
  if (of('W3').length > 0) yield ['w3', growth(of('W3'), 'ms', 'W3: a device returns, ms', 'follows')]
  if (of('W4').length > 0) {
    const figure = 'KiB of heap and buffers/device'
    yield ['w4', growth(of('W4'), figure, 'W4: memory of the server for an idle device, KiB', 'devices')]
  }
  const [famous] = of('W7')
  if (famous) yield ['w7', followers(famous)]
}

const shownShares = [0.5, 0.9, 0.99, 0.999]

/** The position of a share by its number of nines: half of all samples are at 0, 999 of 1,000 are at 1. */
function placeOf(share: number): number {
  const nines = (one: number): number => -Math.log10(1 - one)
  return (nines(share) - nines(0.5)) / (nines(0.999) - nines(0.5))
}

function latencies({ title, contestants }: Workload): Chart {
  const lines = contestants.map(({ name, distribution = [] }): Line => {
    const upper = distribution.filter(({ share }) => share >= 0.5)
    return { name, points: upper.map(({ share, ms }) => ({ at: placeOf(share), value: ms })) }
  })
  return {
    ...{ title: `W1: ${title}`, unit: 'ms from the edit until a follower has it', lines },
    marks: shownShares.map(share => ({ at: placeOf(share), text: `${share * 100} %` })),
    caption: 'so many of the deliveries take at most so long',
  }
}

/** A chart of one figure in several sizes of one workload. */
function growth(workloads: readonly Workload[], figure: string, title: string, what: string): Chart {
  const place = (index: number): number => (workloads.length > 1 ? index / (workloads.length - 1) : 0.5)
  const names = [...new Set(workloads.flatMap(({ contestants }) => contestants.map(({ name }) => name)))]
  const lines = names.map((name): Line => {
    const points = workloads.flatMap(({ contestants }, index) => {
      const value = contestants.find(one => one.name === name)?.figures[figure]?.median
      return value === undefined ? [] : [{ at: place(index), value }]
    })
    return { name, points }
  })
  return {
    ...{ title, unit: figure, lines: lines.filter(({ points }) => points.length > 0) },
    marks: workloads.map(({ at = 0 }, index) => ({ at: place(index), text: at.toLocaleString('en-GB') })),
    caption: what,
  }
}

/** In W7, the contestants are the sizes. */
function followers({ contestants }: Workload): Chart {
  const place = (index: number): number => (contestants.length > 1 ? index / (contestants.length - 1) : 0.5)
  const figures = ['return: ms', 'narrow: ms until on disk', 'narrow: ms until withdrawn', 'longest turn: ms']
  const lines = figures.map((name): Line => {
    const points = contestants.flatMap(({ figures: found }, index) => {
      const value = found[name]?.median
      return value === undefined ? [] : [{ at: place(index), value }]
    })
    return { name, points }
  })
  return {
    ...{ title: 'W7: an owner returns, and narrows the audience', unit: 'ms', lines },
    marks: contestants.map(({ name }, index) => ({ at: place(index), text: name })),
    caption: 'of whom up to 100 are online',
  }
}
