import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Breach } from './breach.ts'
import { Report } from './report.ts'
import { playRound } from './round.ts'
import { World } from './world.ts'

/** Repeatedly kills a server under load, and checks each time what is stored. Returns 0 if every promise was kept. */
export async function torture({ kills, seed }: { kills: number; seed: number }): Promise<number> {
  const folder = join(await mkdtemp(join(tmpdir(), 'kith-torture-')), 'data')
  const report = new Report('kills', kills, seed)
  const world = await World.open(folder, seed)
  process.once('exit', () => world.abandon())
  let isStopped = false
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      isStopped = true
    })
  }
  try {
    for (let kill = 1; kill <= kills && !isStopped; kill++) {
      const { moment, counts } = await playRound(world)
      report.add({ names: [`killed: ${moment}`], counts })
    }
    await world.close()
    await rm(join(folder, '..'), { recursive: true, force: true })
    report.end()
    return 0
  } catch (error) {
    const where = `the data folder: ${folder}; a copy of how the kill left it: ${folder}-copy`
    report.fail(error instanceof Breach ? error.message : error, where)
    await world.close().catch(() => undefined)
    return 1
  }
}
