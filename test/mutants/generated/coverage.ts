import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { Runner } from '../run.ts'
import type { Generated } from './generate.ts'
import { nearest } from './importers.ts'
import type { Covered } from './probe-setup.ts'

/** The time limit of a test file. A file that exceeds it on a busy machine is missing from all later steps. */
const patienceMs = 900_000

/** The functions that one test file called, and the state of the sources at that time. */
interface Seen {
  testHash: string
  sourceHashes: Record<string, string>
  shared: Record<string, number[]>
  covered: Covered[]
  /** The time before the first test runs. */
  loadMs: number
}

/** Tests of one file that call the function changed by a mutant. */
export interface Related {
  test: string
  names: string[]
  ms: number
  slowestMs: number
}

export function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16)
}

/** Which test calls which function, from one run of each test file. A test file that changed is run again. */
export class Coverage {
  readonly #root: string
  readonly #seen: ReadonlyMap<string, Seen>

  private constructor(root: string, seen: ReadonlyMap<string, Seen>) {
    this.#root = root
    this.#seen = seen
  }

  static async collect(
    root: string,
    folder: string,
    tests: readonly string[],
    targets: readonly string[],
  ): Promise<Coverage> {
    mkdirSync(folder, { recursive: true })
    const sourceHashes = Object.fromEntries(targets.map(file => [file, hashOf(readFileSync(root + file, 'utf8'))]))
    const seen = new Map<string, Seen>()
    const runner = new Runner({ KITH_PROBES: folder })
    try {
      for (const test of tests) {
        const testHash = hashOf(readFileSync(`${root}test/${test}.test.ts`, 'utf8'))
        const kept = readSeen(folder, test)
        if (kept?.testHash === testHash) {
          seen.set(test, kept)
          continue
        }
        const report = await runner.run({
          tests: [test],
          isBrief: false,
          testTimeoutMs: 120_000,
          longestMs: patienceMs,
        })
        if (!report || report.failed.length + report.broken.length > 0) {
          console.log(
            `✗ ${test} without any mutant: ${report?.failed[0]?.name ?? report?.broken[0] ?? 'came to no end'}`,
          )
          continue
        }
        if (!existsSync(`${folder}/${nameOf(test)}.test.ts.json`)) {
          console.log(`  ${test}: all of its tests are skipped here`)
          continue
        }
        const probes = JSON.parse(readFileSync(`${folder}/${nameOf(test)}.test.ts.json`, 'utf8'))
        const one = { testHash, sourceHashes, loadMs: report.loadMs ?? 0, ...probes } as Seen
        writeFileSync(`${folder}/${nameOf(test)}.json`, JSON.stringify(one))
        seen.set(test, one)
        console.log(`  ${test}: ${one.covered.length} tests`)
      }
    } finally {
      runner.close()
    }
    return new Coverage(root, seen)
  }

  /**
   * Returns the related tests, the fastest first. For a source that changed since the run, every test that called a function in
   * it counts. For a source that is new since the run, every test that called a function in a file that imports it counts.
   */
  related({ file, inFunction }: Generated, sourceHash: string): Related[] {
    const related: Related[] = []
    for (const [test, { sourceHashes, shared, covered, loadMs }] of this.#seen) {
      const isExact = sourceHashes[file] === sourceHash && inFunction !== undefined
      const near = isExact ? [file] : nearest(this.#root, file, other => other in sourceHashes)
      const isCalled = (calls: Record<string, number[]>): boolean =>
        isExact
          ? (calls[file] ?? []).includes(inFunction)
          : near === undefined || near.some(other => (calls[other] ?? []).length > 0)
      const some = isCalled(shared) ? covered : covered.filter(({ calls }) => isCalled(calls))
      if (some.length === 0) continue
      const ms = some.reduce((sum, one) => sum + one.ms, loadMs)
      related.push({ test, names: some.map(({ name }) => name), ms, slowestMs: Math.max(...some.map(one => one.ms)) })
    }
    return related.sort((a, b) => a.ms - b.ms)
  }
}

function readSeen(folder: string, test: string): Seen | undefined {
  try {
    return JSON.parse(readFileSync(`${folder}/${nameOf(test)}.json`, 'utf8')) as Seen
  } catch {
    return undefined // It was not run yet.
  }
}

function nameOf(test: string): string {
  return test.replaceAll('/', '+')
}
