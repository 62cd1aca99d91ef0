import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

/**
 * `npm run simulate -- --runs N` plays N random histories in the simulated world. A failed history is shrunk, and printed as a
 * test for `test/simulation/stories.test.ts`. The remaining histories are still played, unless too many fail. Exits with 1
 * after a failure. With `--nodes N`, the histories run on N nodes with one database.
 */

/** How many histories one process plays. Each history begins with fresh memory, and has its own seed. */
const perProcess = 500

/** After this many failures, further histories add little information. */
const enough = 5

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '10000' },
    /** The seed of the first process. The seeds of the others follow it. */
    seed: { type: 'string', default: String(Date.now() % 2 ** 30) },
    jobs: { type: 'string', default: '2' },
    /** How many nodes share one database. Without this option, one server has a disk. */
    nodes: { type: 'string' },
  },
})
const [runs, firstSeed, jobs] = [values.runs, values.seed, values.jobs].map(Number) as [number, number, number]
const { nodes } = values
if (!(Number(nodes ?? 1) > 0)) throw new TypeError('--nodes takes a number')
if (!(runs > 0 && jobs > 0 && firstSeed >= 0)) throw new TypeError('--runs, --jobs and --seed take numbers')

const begunAt = Date.now()
let begun = 0
let done = 0
let wrong = 0

console.log(`${runs} histories${nodes ? ` of ${nodes} nodes` : ''} from seed ${firstSeed} on`)
await Promise.all(Array.from({ length: jobs }, work))
console.log(`${done} histories, and ${wrong === 0 ? 'nothing was wrong' : `${wrong} more that went wrong`}`)
if (wrong > 0) process.exitCode = 1

async function work(): Promise<void> {
  while (begun < runs && wrong < enough) {
    const seed = firstSeed + begun / perProcess
    const count = Math.min(perProcess, runs - begun)
    begun += perProcess
    await play(Math.floor(seed), count)
  }
}

async function play(seed: number, count: number): Promise<void> {
  const env = {
    ...process.env,
    KITH_TEST_SEED: String(seed),
    KITH_TEST_RUNS: String(count),
    ...(nodes && { KITH_TEST_NODES: nodes }),
  }
  const cwd = fileURLToPath(new URL('../..', import.meta.url))
  const child = spawn('npx', ['vitest', 'run', `simulation/${nodes ? 'cluster-' : ''}histories.test`], {
    cwd,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (text: Buffer) => {
      output += text.toString()
    })
  }
  const code = await new Promise(resolve => child.on('close', resolve))
  if (code === 0) return told(count)
  wrong++
  console.log(`seed ${seed}:\n${output}`)
}

function told(count: number): void {
  done += count
  const msEach = (Date.now() - begunAt) / done
  const minutesLeft = Math.ceil(((runs - done) * msEach) / 60_000)
  console.log(`${done} of ${runs}, ${msEach.toFixed(0)} ms each, ${minutesLeft} minutes left`)
}
