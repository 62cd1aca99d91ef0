import { once } from 'node:events'
import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import type { Clock } from '@kith/server'
import { BulkWriter } from '@kith/server/testing'
import { defaultLimits } from '@kith/shared'
import type { Population } from './population.ts'
import { type TownRecords, Towns, type TownsOptions } from './towns.ts'

/** The cost of making a folder. */
export interface Made {
  readonly seconds: number
  readonly processorSeconds: number
  /** The position of the last change. */
  readonly position: number
}

const tellEachMs = 15_000
/** If there are fewer towns than this, they are derived in this thread. */
const fewTowns = 4
/** Most objects of a thread live no longer than a town. A large young generation saves much of the garbage collection. */
const youngMegabytes = 192

/** Makes a data folder with this population in bulk, and prints the progress. */
export async function generate(population: Population, folder: string, clock: Clock): Promise<Made> {
  const begun = performance.now()
  const before = process.cpuUsage()
  const writer = await BulkWriter.create(folder, { limits: defaultLimits, clock })
  const options = { users: population.size, nowMs: clock.now() }
  let towns = 0
  let position = 0
  let toldAt = begun
  for await (const town of derived(options)) {
    await writer.write(town.records)
    position = Math.max(position, town.position)
    towns++
    const now = performance.now()
    if (now - toldAt < tellEachMs) continue
    toldAt = now
    console.log(`${towns} towns of 1,000 users after ${Math.round((now - begun) / 1000)} s`)
  }
  await writer.close(position)
  const { user, system } = process.cpuUsage(before)
  return { seconds: (performance.now() - begun) / 1000, processorSeconds: (user + system) / 1e6, position }
}

/** Yields all towns, approximately in order. */
async function* derived(options: TownsOptions): AsyncIterable<TownRecords> {
  const towns = new Towns(options)
  if (towns.count < fewTowns) {
    for (let number = 0; number < towns.count; number++) yield towns.derive(number)
    return
  }
  const threads = Array.from({ length: availableParallelism() }, () => threadOf(options))
  try {
    let next = 0
    const turns = threads.map(thread => (next < towns.count ? thread(next++) : undefined))
    for (let left = towns.count, turn = 0; left > 0; left--, turn = (turn + 1) % threads.length) {
      const town = (await turns[turn]) as TownRecords
      turns[turn] = next < towns.count ? threads[turn]?.(next++) : undefined
      yield town
    }
  } finally {
    await Promise.all(threads.map(thread => thread.end()))
  }
}

interface Thread {
  (number: number): Promise<TownRecords>
  end(): Promise<unknown>
}

function threadOf(workerData: TownsOptions): Thread {
  const worker = new Worker(new URL('./town-thread.js', import.meta.url), {
    workerData,
    resourceLimits: { maxYoungGenerationSizeMb: youngMegabytes },
  })
  const derive = async (number: number): Promise<TownRecords> => {
    worker.postMessage(number)
    const [town] = await once(worker, 'message')
    return town as TownRecords
  }
  return Object.assign(derive, { end: () => worker.terminate() })
}
