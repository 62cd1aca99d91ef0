import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { tryGenerated } from './generated/main.ts'
import { mutants } from './list/index.ts'
import { chosenOf, type Mutant } from './mutant.ts'
import { Runner } from './run.ts'
import { type Verdict, verdictOn } from './verdict.ts'

/** `npm run mutants`: makes each mistake of the list in turn, and checks that a test fails because of it. */

/** The time limit of a test. Even on a busy machine, no correct test takes longer. */
const patienceMs = 30_000
/** The time after which an expected event counts as missing. */
const shortPatienceMs = 3_000

const { values } = parseArgs({
  options: {
    /** Mistakes that operators make in the syntax tree, instead of those of the list. */
    generated: { type: 'boolean', default: false },
    /** For generated mutants: their number, chosen by the seed. */
    sample: { type: 'string' },
    seed: { type: 'string' },
    /** Seconds of related tests for each mutant. */
    budget: { type: 'string', default: '60' },
    /** The number of histories of the simulated world that are played for each mutant that no related test notices. */
    histories: { type: 'string', default: '0' },
    /** Tries survivors again. */
    again: { type: 'boolean', default: false },
    /** Parts of the names of mutated files. For listed mutants also ids or rules, as in `--only V4 --only no-tombstones`. */
    only: { type: 'string', multiple: true },
    jobs: { type: 'string', default: '2' },
    /** Also prints how each mutant was noticed. For generated mutants, prints which tests were run, and their duration. */
    verbose: { type: 'boolean', default: false },
  },
})

const runners = Array.from({ length: Number(values.jobs) }, () => new Runner())

if (values.generated) {
  const root = fileURLToPath(new URL('../../..', import.meta.url))
  const count = values.sample === undefined ? undefined : Number(values.sample)
  const seed = Number(values.seed ?? Date.now() % 2 ** 31)
  const { only, jobs, budget, histories, again, verbose } = values
  const isFine = await tryGenerated({
    root,
    only,
    sample: count,
    seed,
    jobs: Number(jobs),
    budget: Number(budget),
    histories: Number(histories),
    again,
    verbose,
  })
  if (!isFine) process.exitCode = 1
} else await tryListed()

async function tryListed(): Promise<void> {
  const chosen = chosenOf(mutants, values.only)
  if (chosen.length === 0) throw new Error(`There is no mutant, rule or mutated file ${values.only?.join(', ')}`)
  try {
    if (!(await allPass(chosen))) process.exitCode = 1
    else {
      const left = await tryAll(chosen)
      for (const line of left) console.log(line)
      console.log(`${chosen.length - left.length} of ${chosen.length} mutants were noticed`)
      if (left.length > 0) process.exitCode = 1
    }
  } finally {
    for (const runner of runners) runner.close()
  }
}

/** Runs the same tests without any mutant: a test that always fails would notice nothing. */
async function allPass(some: readonly Mutant[]): Promise<boolean> {
  let isFine = true
  await inTurn([...new Set(some.flatMap(({ tests }) => tests))], async (file, runner) => {
    const here = some.filter(({ tests }) => tests.includes(file))
    const names = here.every(one => one.names !== undefined) ? here.map(one => `(${one.names})`).join('|') : undefined
    const verdict = verdictOn(await runner.run({ tests: [file], names, isBrief: false, testTimeoutMs: patienceMs }))
    if (verdict.state === 'survived') return
    isFine = false
    console.log(`✗ ${file} without any mutant: ${described(verdict)}`)
  })
  return isFine
}

/** Returns a line for each mutant that was not noticed. */
async function tryAll(some: readonly Mutant[]): Promise<string[]> {
  const left: string[] = []
  await inTurn(some, async ({ id, rules, tests, names, isSeenByWaiting = false }, runner) => {
    const startMs = performance.now()
    const testTimeoutMs = isSeenByWaiting ? shortPatienceMs : patienceMs
    const run = { mutant: id, tests, names, testTimeoutMs }
    let verdict = verdictOn(await runner.run({ ...run, isBrief: true }))
    // The order of failures can be random. A later failure may show what is wrong.
    if (verdict.state === 'waited' && !isSeenByWaiting)
      verdict = verdictOn(await runner.run({ ...run, isBrief: false }))
    const seconds = ((performance.now() - startMs) / 1000).toFixed(1)
    const isNoticed = verdict.state === 'caught' || (verdict.state === 'waited' && isSeenByWaiting)
    const line = `${isNoticed ? '✓' : '✗'} ${id} [${rules.join('][')}] ${seconds} s: ${described(verdict)}`
    if (!isNoticed) left.push(line)
    console.log(line)
  })
  return left
}

function described(verdict: Verdict): string {
  switch (verdict.state) {
    case 'caught':
      return `${verdict.by}${values.verbose ? `\n    ${verdict.message.split('\n')[0]}` : ''}`
    case 'waited':
      return `only by waiting in vain: ${verdict.by}`
    case 'survived':
      return 'all tests passed'
    case 'broken':
      return verdict.why.split('\n', 1)[0] ?? ''
  }
}

async function inTurn<T>(all: readonly T[], work: (one: T, runner: Runner) => Promise<void>): Promise<void> {
  const queue = [...all]
  const workThrough = async (runner: Runner): Promise<void> => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) await work(next, runner)
  }
  await Promise.all(runners.map(workThrough))
}
