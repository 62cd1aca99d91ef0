import { setMaxListeners } from 'node:events'
import { disagreements } from './agreement.ts'
import type { Fate } from './backups.ts'
import { checkCommand, killedCommand } from './commands.ts'
import type { Device } from './device.ts'
import { harm } from './harm.ts'
import { devicesPerUser, users, writerOf } from './keys.ts'
import { killAt, type Moment, pickMoment } from './moments.ts'
import { examine, type Found } from './stored.ts'
import { settlingMs, type World } from './world.ts'

/** A promise that was not kept. */
export class Breach extends Error {}

/** What one round saw. */
export interface Round {
  moment: Moment
  counts: Record<string, number>
}

/** Load, a kill, a look at what is left, a start, and everyone comes back. Throws a {@link Breach}. */
export async function playRound(world: World): Promise<Round> {
  const moment = pickMoment(world.random)
  const before = counted(world)
  await killUnderLoad(world, moment)
  const whileStarting = await killStarts(world)
  const found = await examine(world.folder)
  expectNothing(found.state === 'refused' ? found.why : breaches(world, found))
  const isRefused = await isHarmRefused(world)
  const isCommandRun = world.random.fraction() < 0.02
  if (isCommandRun) expectNothing([(await checkCommand(world.folder)) ?? ''])
  const fate = await world.backups.work(world.random)
  await world.restart()
  await checkBackend(world, fate)
  const visitors = await comeBack(world)
  const after = counted(world)
  return {
    moment,
    counts: {
      ...whileStarting,
      [isRefused ? 'harmed copies refused' : 'harmed copies that were whole all the same']: 1,
      'edits made': after.edits - before.edits,
      'promises to devices': after.answers - before.answers,
      'promises to the backend': after.backend - before.backend,
      'ledgers compared': world.devices.length + 1,
      'runs of the check command': isCommandRun ? 1 : 0,
      'new devices': visitors,
      'older backups restored': fate === 'older' ? 1 : 0,
      'stores lost': fate === 'lost' ? 1 : 0,
    },
  }
}

async function killUnderLoad(world: World, moment: Moment): Promise<void> {
  const { server, folder, random, devices, backend } = world
  const stop = new AbortController()
  const lives = Promise.all([
    ...devices.map(device => device.live(stop.signal, moment === 'new log' ? 'large' : 'mixed')),
    backend.live(server, stop.signal),
  ])
  const onNextAnswer = (callback: () => void): void => {
    world.onAnswer = callback
  }
  const killed = killAt(moment, { server, folder, random, onNextAnswer })
  await Promise.race([killed, lives.then(() => killed)])
  world.onAnswer = () => undefined
  stop.abort()
  await lives
}

/** Recovery is interrupted too, now and then more than once. */
async function killStarts({ random, folder }: World): Promise<Record<string, number>> {
  let starts = 0
  for (; random.fraction() < 0.15; starts++) await killedCommand('serve', folder, random.between(150, 600))
  const isCompacted = random.fraction() < 0.05
  if (isCompacted) await killedCommand('compact', folder, random.between(150, 500))
  return { 'killed while starting': starts, 'killed while compacting': isCompacted ? 1 : 0 }
}

/** [D2][D3][D4] What every device was promised stands in the folder, and `check` finds no difference. */
function breaches({ devices }: World, { findings, states }: Found & { state: 'served' }): string[] {
  const broken = devices.map(({ user, ledger }, index) => {
    const own = [...(states.get(user) ?? [])].filter(([key]) => writerOf(user, key) === index % devicesPerUser)
    return ledger.breach(new Map(own)) ?? ''
  })
  return [...findings, ...broken]
}

/** A copy of the folder with one file harmed is refused, or holds everything all the same. */
async function isHarmRefused(world: World): Promise<boolean> {
  let how = ''
  const found = await examine(world.folder, copy => {
    how = harm(world.random, copy)
  })
  if (found.state === 'refused') return true
  expectNothing(breaches(world, found), `served although harmed (${how})`)
  return false
}

/** What the backend said is not in an older store, or in an empty one, unlike what devices did: they bring it back. */
async function checkBackend({ backend, server }: World, fate: Fate): Promise<void> {
  const found = await backend.found(server)
  if (fate === 'kept') expectNothing([backend.ledger.breach(found) ?? ''])
  backend.ledger.settle(found)
}

/** Everyone arrives at the same, now and then a device with an empty database too. */
async function comeBack(world: World): Promise<number> {
  const { random, server } = world
  const patience = AbortSignal.timeout(settlingMs)
  setMaxListeners(0, patience)
  let devices: Device[] = world.devices
  const visitors: Device[] = []
  try {
    if (random.fraction() < 0.3) visitors.push(await world.openDevice(random.pick(users)))
    devices = [...world.devices, ...visitors]
    for (let round = 0; round < 2; round++) await Promise.all(devices.map(device => device.settle(patience)))
  } catch (error) {
    const unsettled = devices.filter(({ kith }) => kith.status !== 'synced').map(({ ledger }) => ledger.writer)
    throw new Breach(`not everyone came back: ${unsettled.join(', ')} (${String(error)})`)
  }
  expectNothing(await disagreements(server, devices))
  for (const { ledger, errors } of devices) {
    expectNothing(errors.map(({ code, message }) => `${ledger.writer} was told of an error: ${code}: ${message}`))
  }
  for (const visitor of visitors) await visitor.close()
  return visitors.length
}

function counted({ devices, backend }: World): { edits: number; answers: number; backend: number } {
  const sum = (count: (device: Device) => number): number => devices.reduce((total, one) => total + count(one), 0)
  return {
    edits: sum(({ ledger }) => ledger.count),
    answers: sum(({ answers }) => answers),
    backend: backend.ledger.acknowledged,
  }
}

function expectNothing(wrong: readonly string[], where?: string): void {
  const said = wrong.filter(text => text !== '')
  if (said.length > 0) throw new Breach([...(where ? [where] : []), ...said].join('\n'))
}
