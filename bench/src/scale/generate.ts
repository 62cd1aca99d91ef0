import type { Clock } from '@kith/server'
import { BulkWriter } from '@kith/server/testing'
import { defaultLimits } from '@kith/shared'
import { processorMs } from '../measure/processor-time.ts'
import { changeOf } from './documents.ts'
import type { Population } from './population.ts'

/** What making a folder took. */
export interface Made {
  readonly seconds: number
  readonly processorSeconds: number
  /** The position of the last change. */
  readonly position: number
}

const tellEachMs = 15_000

/** Makes a data folder with this population in bulk, and tells how far it is. */
export async function generate(population: Population, folder: string, clock: Clock): Promise<Made> {
  const begun = performance.now()
  const computed = processorMs(process.pid)
  const writer = await BulkWriter.create(folder, { limits: defaultLimits, clock })
  let users = 0
  let toldAt = begun
  for (const town of population.towns()) {
    for (const step of town.steps()) await writer.commit(changeOf(step))
    const minute = Math.floor(clock.now() / 60_000)
    await writer.commit({ type: 'seen', users: town.users.map(user => ({ user, minute })) })
    await writer.endGroup(users === 0 ? population.famous : [])
    users += town.users.length
    const now = performance.now()
    if (now - toldAt < tellEachMs) continue
    toldAt = now
    const perSecond = Math.round((1000 * users) / (now - begun))
    console.log(`${users} of ${population.size + population.famous.length} users, ${perSecond} a second`)
  }
  const { position } = writer
  await writer.close()
  return {
    seconds: (performance.now() - begun) / 1000,
    processorSeconds: (processorMs(process.pid) - computed) / 1000,
    position,
  }
}
