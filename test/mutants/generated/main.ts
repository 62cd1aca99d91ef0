import { mkdirSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { mutants } from '../list/index.ts'
import { Runner } from '../run.ts'
import { type Report, verdictOn } from '../verdict.ts'
import { Coverage, hashOf, type Related } from './coverage.ts'
import { type Generated, generate } from './generate.ts'
import { Histories } from './histories.ts'
import { whyKept } from './kept.ts'
import { Refusals } from './refusals.ts'
import { type Outcome, type Result, Results } from './results.ts'
import { interval, sample } from './sample.ts'
import { printSurvivors, printTable, type Tried } from './table.ts'
import { targetFiles, testFiles } from './targets.ts'

export interface GeneratedOptions {
  root: string
  /** Parts of file names; if absent, all targets. */
  only: readonly string[] | undefined
  /** The number of mutants; if absent, all. */
  sample: number | undefined
  seed: number
  jobs: number
  /** The maximum duration of related tests for one mutant, in seconds, as measured without a mutant. */
  budget: number
  /** The number of histories of the simulated world that are played for a mutant that no related test notices. */
  histories: number
  /** Whether earlier survivors are tried again with the same tests. */
  again: boolean
  /** Whether the tests of each mutant, and their duration, are printed too. */
  verbose: boolean
}

/**
 * `npm run mutants -- --generated`: tries mistakes that operators make in the syntax tree. Each runs against the tests that
 * call its function: the tests about its file, and the fastest ones. Returns whether no new mutant survived.
 */
export async function tryGenerated(options: GeneratedOptions): Promise<boolean> {
  const { root } = options
  const folder = `${tmpdir()}/kith-mutants-${hashOf(root)}`
  mkdirSync(folder, { recursive: true })
  const targets = targetFiles(root)
  const chosenFiles = targets.filter(file => !options.only || options.only.some(part => file.includes(part)))
  const texts = new Map(targets.map(file => [file, readFileSync(root + file, 'utf8')]))
  const all = chosenFiles.flatMap(file => generate(file, texts.get(file) as string))
  // The sample is drawn from all mutants, so that an added reason does not change which other mutants are drawn.
  const drawn = options.sample === undefined ? all : sample(all, options.sample, options.seed)
  const chosen = drawn.filter(one => whyKept(one) === undefined)
  console.log(`${all.length} mutants of ${chosenFiles.length} files`)
  if (options.sample !== undefined) console.log(`${drawn.length} are drawn by seed ${options.seed}`)
  console.log(`${drawn.length - chosen.length} of them are kept with a reason; results in ${folder}`)

  const tests = testFiles(root)
  const testsHash = hashOf(tests.map(test => readFileSync(`${root}test/${test}.test.ts`, 'utf8')).join('\0'))
  const coverage = await Coverage.collect(root, `${folder}/coverage`, tests, targets)
  const results = new Results(`${folder}/results.jsonl`)
  const histories = new Histories(options.histories)
  const refusals = new Refusals(root, `${folder}/refusals`)
  const tried: Tried[] = []
  let done = 0
  await inTurn(chosen, options.jobs, async (mutant, runner) => {
    const sourceHash = hashOf(texts.get(mutant.file) as string)
    const refusal = await refusals.of(mutant)
    let result = results.of(mutant.id, sourceHash, options.again ? undefined : testsHash)
    if (refusal !== undefined) {
      result = { id: mutant.id, outcome: 'refused', by: refusal, sourceHash, testsHash }
      if (options.verbose) console.log(`refused: ${mutant.id}: ${refusal}`)
    } else if (!result) {
      const named = testsAbout(root, mutant.file, tests)
      const related = withinBudget(coverage.related(mutant, sourceHash), named, options.budget)
      const startMs = performance.now()
      const log = options.verbose ? console.log : () => undefined
      let outcome = await outcomeOf(mutant, related, runner, log)
      if (outcome.outcome === 'survived') outcome = await outcomeOfHistories(mutant, histories, log)
      const seconds = Math.round((performance.now() - startMs) / 1_000)
      result = { id: mutant.id, ...outcome, seconds, sourceHash, testsHash }
      results.add(result)
      if (options.verbose) console.log(`${result.outcome}, ${seconds} s: ${mutant.id}`)
    }
    tried.push({ mutant, result })
    done++
    if (done % 25 === 0) console.log(`  ${done} of ${chosen.length}, ${count(tried, 'survived', 'no test')} survived`)
  })
  refusals.remove()
  printTable(chosenFiles, tried)
  const noticed = count(tried, 'killed', 'timed out')
  const run = tried.length - count(tried, 'refused')
  const [low, high] = interval(noticed, run)
  const percent = (share: number): string => `${(100 * share).toFixed(1)} %`
  console.log(
    `\n${tried.length - run} are refused by the compiler or the linter; ${noticed} of the other ${run} were noticed: ${percent(noticed / run)}; with 95 % certainty ${percent(low)} to ${percent(high)} of all`,
  )
  printSurvivors(tried)
  return noticed === run
}

function count(tried: readonly Tried[], ...outcomes: Outcome[]): number {
  return tried.filter(({ result }) => outcomes.includes(result.outcome)).length
}

/**
 * Returns the tests that are about this file: listed mutants of the file name them, they import the file, or they have the name
 * of the file or its folder. Otherwise, a function that everything calls would be tried only with the fastest tests, which are
 * about something else.
 */
function testsAbout(root: string, file: string, tests: readonly string[]): ReadonlySet<string> {
  const listed = mutants.filter(({ changes }) => changes.some(change => change.file === file))
  const internals = internalsOf(root, file)
  const names = file.replace(/\.ts$/, '').split('/').slice(-2)
  const isAbout = (test: string): boolean =>
    names.some(name => test.includes(`/${name}`)) || internals.test(readFileSync(`${root}test/${test}.test.ts`, 'utf8'))
  return new Set([...listed.flatMap(one => one.tests), ...tests.filter(isAbout)])
}

/** Returns a pattern that matches the source of a test which imports from this file, through `support/*-internals.ts`. */
function internalsOf(root: string, file: string): RegExp {
  const [, name] = file.split('/')
  const page = readFileSync(`${root}test/support/${name}-internals.ts`, 'utf8')
  const exports = [...page.matchAll(/^export (?:type )?\{([^}]*)\} from '([^']*)'/gm)]
  const names = exports.filter(([, , module]) => module === `../../${file}`).flatMap(([, list = '']) => list.split(','))
  const imported = names.map(one => one.trim().split(' ').at(-1)).filter(Boolean)
  return imported.length === 0 ? /(?!)/ : new RegExp(String.raw`\b(?:${imported.join('|')})\b[\s\S]*-internals\.ts'`)
}

/**
 * Returns all named tests, regardless of their duration, and as many of the other test files as the budget allows, the fastest
 * first; at least one. The tests are sorted by duration, but a named test may be {@link namedIsWorth} times as slow as another.
 */
function withinBudget(related: readonly Related[], named: ReadonlySet<string>, seconds: number): Related[] {
  const [first, rest] = [related.filter(({ test }) => named.has(test)), related.filter(({ test }) => !named.has(test))]
  let leftMs = seconds * 1_000
  const affordable = rest.filter(({ ms }, index) => {
    leftMs -= ms
    return leftMs >= 0 || (index === 0 && first.length === 0)
  })
  const costOf = ({ test, ms }: Related): number => (named.has(test) ? ms / namedIsWorth : ms)
  return [...first, ...affordable].sort((a, b) => costOf(a) - costOf(b))
}

const namedIsWorth = 4

async function outcomeOf(
  mutant: Generated,
  related: readonly Related[],
  runner: Runner,
  log: (line: string) => void,
): Promise<Pick<Result, 'outcome' | 'by'>> {
  if (related.length === 0) return { outcome: 'no test' }
  const { file, start, end, replacement } = mutant
  const run = async (some: readonly Related[], isMutated: boolean, only?: string): Promise<Report | undefined> => {
    const startMs = performance.now()
    const names = only === undefined ? some.flatMap(one => one.names) : [only.replaceAll(' > ', ' ')]
    const report = await runner.run({
      tests: some.map(({ test }) => test),
      names: patternOf(names),
      isBrief: true,
      isShared: some.length > 1,
      testTimeoutMs: 10_000 + 10 * Math.max(...some.map(({ slowestMs }) => slowestMs)),
      longestMs: 30_000 + 10 * names.length * 1_000,
      ...(isMutated && { generated: { file, start, end, replacement } }),
    })
    const seconds = ((performance.now() - startMs) / 1_000).toFixed(1)
    const how = isMutated ? verdictOn(report).state : `${verdictOn(report).state} without the mutant`
    log(`  ${some.map(({ test }) => test).join(' ')}: ${names.length} tests, ${seconds} s: ${how}`)
    return report
  }
  for (const group of inGroups(related)) {
    let suspects = group
    if (group.length > 1) {
      const report = await run(group, true)
      if (verdictOn(report).state === 'survived') continue
      const isFirst = ({ test }: Related): boolean => test === report?.failed[0]?.file
      suspects = [...group.filter(isFirst), ...group.filter(one => !isFirst(one))]
    }
    for (const one of suspects) {
      const outcome = await outcomeOfOne(one.test, (isMutated, only) => run([one], isMutated, only))
      if (outcome) return outcome
    }
  }
  return { outcome: 'survived' }
}

async function outcomeOfHistories(
  mutant: Generated,
  histories: Histories,
  log: (line: string) => void,
): Promise<Pick<Result, 'outcome' | 'by'>> {
  const test = histories.testFor(mutant)
  if (test === undefined) return { outcome: 'survived' }
  const { file, start, end, replacement } = mutant
  const outcome = await outcomeOfOne(test, async isMutated => {
    const report = await histories.run(test, isMutated ? { file, start, end, replacement } : undefined)
    log(`  ${test}: ${verdictOn(report).state}${isMutated ? '' : ' without the mutant'}`)
    return report
  })
  return outcome ?? { outcome: 'survived' }
}

/** Returns the result of one test file; `undefined` if it shows nothing. */
async function outcomeOfOne(
  test: string,
  run: (isMutated: boolean, only?: string) => Promise<Report | undefined>,
): Promise<Pick<Result, 'outcome' | 'by'> | undefined> {
  const report = await run(true)
  const verdict = verdictOn(report)
  if (verdict.state === 'survived') return undefined
  if (verdict.state === 'broken' && report) {
    if (verdict.why === 'no test ran') return undefined
    return { outcome: 'killed', by: `${test}: ${verdict.why.split('\n', 1)[0]}` } // A file that does not load.
  }
  const by = verdict.state === 'broken' ? undefined : verdict.by
  // On a busy machine, a test may also fail without the mutant. Such a failure shows nothing.
  if (verdictOn(await run(false, by)).state !== 'survived') return undefined
  if (verdict.state === 'caught') return { outcome: 'killed', by: `${test}: ${by}` }
  // It may also exceed its time limit only once.
  const again = verdictOn(await run(true, by)).state
  return again === 'survived' ? undefined : { outcome: 'timed out', by: `${test}: ${by ?? 'came to no end'}` }
}

/** Runs consecutive fast test files together, because most of their time is spent on loading the sources. */
function inGroups(related: readonly Related[]): Related[][] {
  const groups: Related[][] = []
  let leftMs = 0
  for (const one of related) {
    const last = groups.at(-1)
    if (last && one.ms <= leftMs) last.push(one)
    else groups.push([one])
    leftMs = last && one.ms <= leftMs ? leftMs - one.ms : mostGroupMs - one.ms
  }
  return groups
}

/** As long as a group takes at most, its test files run one by one. */
const mostGroupMs = 15_000

function patternOf(names: readonly string[]): string {
  return names.map(name => `^${name.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&')}$`).join('|')
}

async function inTurn<T>(
  all: readonly T[],
  jobs: number,
  work: (one: T, runner: Runner) => Promise<void>,
): Promise<void> {
  const queue = [...all]
  const runners = Array.from({ length: jobs }, () => new Runner())
  try {
    await Promise.all(
      runners.map(async runner => {
        for (let next = queue.shift(); next !== undefined; next = queue.shift()) await work(next, runner)
      }),
    )
  } finally {
    for (const runner of runners) runner.close()
  }
}
