import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '@kith/server'
import { folderBytes } from '../long-life/life-server.ts'
import { pinLoad } from '../measure/cores.ts'
import { writeResults } from '../measure/results.ts'
import { print, rounded } from '../report.ts'
import { besideSmall } from './beside-small.ts'
import { printFamous, printRatios } from './bounds.ts'
import { compareWithDevices } from './compare.ts'
import { famousOwner } from './famous.ts'
import { copyOf } from './folders.ts'
import { generate } from './generate.ts'
import { Population } from './population.ts'

export interface ScaleOptions {
  readonly isQuick: boolean
  readonly rounds: number
  /** The number of users of the large store. */
  readonly users: number
  /** The folder in which the stores are kept, for measuring them again; by default a temporary folder. */
  readonly keep: string | undefined
  /** The file for all figures, as JSON. */
  readonly file: string | undefined
}

/** The maximum for a million users, as set by the issue. */
const most = { minutes: 30, gigabytes: 20 }
const usersOfSmall = 1_000

/**
 * Compares a large store with a small one. Both are made in bulk, and measured by W1 to W6 and by actions of their most
 * followed owner. Exits with 1 when a bound is missed. `isQuick` only checks on small stores that the results are right.
 */
export async function scale(options: ScaleOptions): Promise<void> {
  const folder = options.keep ?? (await mkdtemp(join(tmpdir(), 'kith-scale-')))
  await mkdir(folder, { recursive: true })
  try {
    if (options.isQuick) await compareWithDevices(folder, new Population(60))
    const small = await made(folder, new Population(options.isQuick ? 60 : usersOfSmall))
    const large = await made(folder, new Population(options.users))
    const missed = [...printMade(large), ...(await measure(folder, small, large, options))]
    if (options.isQuick || missed.length === 0) return
    for (const one of missed) console.log(`missed: ${one}`)
    process.exitCode = 1
  } finally {
    if (options.keep === undefined) await rm(folder, { recursive: true, force: true })
  }
}

/** A folder with a population, and the cost of making it. */
interface MadeFolder {
  readonly folder: string
  readonly population: Population
  readonly seconds: number
  readonly processorSeconds: number
  readonly position: number
  readonly bytes: number
}

/** Makes a folder, unless an earlier run has kept it. */
async function made(within: string, population: Population): Promise<MadeFolder> {
  const folder = join(within, `users-${population.size}`)
  const note = `${folder}.json`
  if (existsSync(note)) return { folder, population, ...JSON.parse(await readFile(note, 'utf8')) }
  await rm(folder, { recursive: true, force: true })
  const figures = await generate(population, folder, systemClock)
  const noted = { ...figures, bytes: await folderBytes(folder) }
  await writeFile(note, JSON.stringify(noted))
  return { folder, population, ...noted }
}

function printMade({ population, seconds, processorSeconds, position, bytes }: MadeFolder): string[] {
  const users = population.size + population.famous.length
  print(`A store of ${users} users, made in bulk`, [
    {
      'followers of the first': population.followersOf(0).length,
      commits: position,
      minutes: rounded(seconds / 60),
      'processor minutes': rounded(processorSeconds / 60),
      'users/s': Math.round(users / seconds),
      GB: rounded(bytes / 1e9),
      'bytes/user': Math.round(bytes / users),
    },
  ])
  return [
    ...(seconds > most.minutes * 60 ? [`made in ${rounded(seconds / 60)} minutes, at most ${most.minutes}`] : []),
    ...(bytes > most.gigabytes * 1e9 ? [`${rounded(bytes / 1e9)} GB, at most ${most.gigabytes}`] : []),
  ]
}

async function measure(
  within: string,
  small: MadeFolder,
  large: MadeFolder,
  { isQuick, rounds, file }: ScaleOptions,
): Promise<string[]> {
  const size = { isQuick, rounds, hasPeers: false }
  const copies = join(within, 'copies')
  await rm(copies, { recursive: true, force: true })
  const copied = async (
    { folder, population }: MadeFolder,
    use: string,
  ): Promise<{ folder: string; population: Population }> => {
    const copy = join(copies, `${use}-${population.size}`)
    await copyOf(folder, copy)
    return { folder: copy, population }
  }
  const placed = pinLoad()
  console.log(placed)
  try {
    const workloads = await besideSmall([await copied(small, 'measured'), await copied(large, 'measured')], size)
    if (file !== undefined) writeResults(file, placed, workloads)
    const missed = printRatios(workloads)
    const { folder, population } = await copied(large, 'famous')
    return [...missed, ...printFamous(await famousOwner(folder, population, size))]
  } finally {
    await rm(copies, { recursive: true, force: true })
  }
}
