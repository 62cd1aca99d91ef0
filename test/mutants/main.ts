import { parseArgs } from 'node:util'
import { mutants } from './list/index.ts'
import type { Mutant } from './mutant.ts'
import { type Run, runTests } from './run.ts'
import { type Verdict, verdictOn } from './verdict.ts'

/** `npm run mutants`: makes each mistake of the list in turn, and sees that a test fails for it. */

const { values } = parseArgs({
  options: {
    /** Mutants or rules, as in `--only V4 --only no-tombstones`. */
    only: { type: 'string', multiple: true },
    jobs: { type: 'string', default: '2' },
    /** Also tells how each was noticed. */
    verbose: { type: 'boolean', default: false },
  },
})

const chosen = mutants.filter(
  ({ id, rules }) => !values.only || values.only.some(name => name === id || rules.includes(name)),
)
if (chosen.length === 0) throw new Error(`There is no mutant or rule ${values.only?.join(', ')}`)

if (!(await allPass(chosen))) process.exitCode = 1
else {
  const left = await tryAll(chosen)
  console.log(`${chosen.length - left} of ${chosen.length} mutants were noticed`)
  if (left > 0) process.exitCode = 1
}

/** The same tests without any mutant: one that fails anyway would notice nothing. */
async function allPass(some: readonly Mutant[]): Promise<boolean> {
  const named = some.filter(({ names }) => names !== undefined)
  const whole = some.filter(({ names }) => names === undefined)
  const runs: Run[] = [
    { tests: filesOf(named), names: named.map(({ names }) => `(${names})`).join('|'), isBrief: false },
    { tests: filesOf(whole), isBrief: false },
  ]
  let isFine = true
  await inTurn(
    runs.filter(({ tests }) => tests.length > 0),
    async run => {
      const verdict = verdictOn(await runTests(run))
      if (verdict.state === 'survived') return
      isFine = false
      console.log(`without any mutant: ${described(verdict)}`)
    },
  )
  return isFine
}

function filesOf(some: readonly Mutant[]): string[] {
  return [...new Set(some.flatMap(({ tests }) => tests))]
}

/** How many were not noticed. */
async function tryAll(some: readonly Mutant[]): Promise<number> {
  let left = 0
  await inTurn(some, async ({ id, rules, tests, names, isSeenByWaiting = false }) => {
    const startMs = performance.now()
    const verdict = verdictOn(await runTests({ mutant: id, tests, names, isBrief: true }))
    const seconds = ((performance.now() - startMs) / 1000).toFixed(1)
    const isNoticed = verdict.state === 'caught' || (verdict.state === 'waited' && isSeenByWaiting)
    if (!isNoticed) left++
    console.log(`${isNoticed ? '✓' : '✗'} ${id} [${rules.join('][')}] ${seconds} s: ${described(verdict)}`)
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
      return verdict.why
  }
}

async function inTurn<T>(all: readonly T[], work: (one: T) => Promise<void>): Promise<void> {
  const queue = [...all]
  const worker = async (): Promise<void> => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) await work(next)
  }
  await Promise.all(Array.from({ length: Number(values.jobs) }, worker))
}
