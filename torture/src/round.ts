import type { Fate } from './backups.ts'
import { expectNothing } from './breach.ts'
import { checkCommand, killedCommand } from './commands.ts'
import { harm } from './harm.ts'
import { brokenPromises, comeBack } from './judge.ts'
import { killAt, type Moment, pickMoment } from './moments.ts'
import { examine, type Found } from './stored.ts'
import type { World } from './world.ts'

/** The results of one round. */
export interface Round {
  moment: Moment
  counts: Record<string, number>
}

/** Runs load, kills the server, examines the folder, restarts, and lets all devices reconnect. Throws a `Breach`. */
export async function playRound(world: World): Promise<Round> {
  const { population } = world
  const { random } = population
  const moment = pickMoment(random)
  const before = population.counts
  await killUnderLoad(world, moment)
  const whileStarting = await killStarts(world)
  const found = await examine(world.folder)
  expectNothing(found.state === 'refused' ? found.why : breaches(world, found))
  const isRefused = await isHarmRefused(world)
  const isCommandRun = random.fraction() < 0.02
  if (isCommandRun) expectNothing([(await checkCommand(world.folder)) ?? ''])
  const fate = await world.backups.work(random)
  await world.restart()
  await checkBackend(world, fate)
  const visitors = await comeBack(population, world.server)
  const after = population.counts
  return {
    moment,
    counts: {
      ...whileStarting,
      [isRefused ? 'harmed copies refused' : 'harmed copies that were whole all the same']: 1,
      'edits made': after.edits - before.edits,
      'promises to devices': after.answers - before.answers,
      'promises to the backend': after.backend - before.backend,
      'ledgers compared': population.devices.length + population.backends.length,
      'runs of the check command': isCommandRun ? 1 : 0,
      'new devices': visitors,
      'older backups restored': fate === 'older' ? 1 : 0,
      'stores lost': fate === 'lost' ? 1 : 0,
    },
  }
}

async function killUnderLoad(world: World, moment: Moment): Promise<void> {
  const { server, folder, population } = world
  const { random, devices, backends } = population
  const stop = new AbortController()
  const lives = Promise.all([
    ...devices.map(device => device.live(stop.signal, moment === 'new log' ? 'large' : 'mixed')),
    ...backends.map(backend => backend.live(server, stop.signal)),
  ])
  const onNextAnswer = (callback: () => void): void => {
    population.onAnswer = callback
  }
  const killed = killAt(moment, { server, folder, random, onNextAnswer })
  await Promise.race([killed, lives.then(() => killed)])
  population.onAnswer = () => undefined
  stop.abort()
  await lives
}

/** Recovery is interrupted too, sometimes more than once. */
async function killStarts({ population: { random }, folder }: World): Promise<Record<string, number>> {
  let starts = 0
  for (; random.fraction() < 0.15; starts++) await killedCommand('serve', folder, random.between(150, 600))
  const isCompacted = random.fraction() < 0.05
  if (isCompacted) await killedCommand('compact', folder, random.between(150, 500))
  return { 'killed while starting': starts, 'killed while compacting': isCompacted ? 1 : 0 }
}

/** [D2][D3][D4] Checks that every promise to a device is kept in the folder, and that `check` finds no difference. */
function breaches({ population }: World, { findings, states }: Found & { state: 'served' }): string[] {
  return [...findings, ...brokenPromises(population, states)]
}

/** Damages one file in a copy of the folder. The copy must be refused, or must still contain all data. */
async function isHarmRefused(world: World): Promise<boolean> {
  let how = ''
  const found = await examine(world.folder, copy => {
    how = harm(world.population.random, copy)
  })
  if (found.state === 'refused') return true
  expectNothing(breaches(world, found), `served although harmed (${how})`)
  return false
}

/**
 * Changes of the backend may be missing from an older or an empty store. Edits of devices are not: the devices bring them back.
 */
async function checkBackend({ population, server }: World, fate: Fate): Promise<void> {
  for (const backend of population.backends) {
    const found = await backend.found(server)
    if (fate === 'kept') expectNothing([backend.ledger.breach(found) ?? ''])
    backend.ledger.settle(found)
  }
}
