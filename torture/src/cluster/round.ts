import { setTimeout as pause } from 'node:timers/promises'
import { expectNothing } from '../breach.ts'
import { brokenPromises, comeBack } from '../judge.ts'
import type { Random } from '../random.ts'
import { connectionFaults } from './faults/connections.ts'
import type { Fault, Faults } from './faults/fault.ts'
import { nodeFaults } from './faults/nodes.ts'
import { databaseFaults } from './faults/primary.ts'
import { run, statesIn } from './stored.ts'
import type { World } from './world.ts'

/**
 * The rest of a device between two actions. A database may be unavailable for seconds, and all actions of that time arrive
 * together.
 */
const restMs = 250

/**
 * For each of three kinds of faults: the faults that come one after another. Faults of different kinds come at the same time.
 */
export type Plan = readonly (readonly (readonly [string, Fault])[])[]

/** `only`: picks only faults whose names contain this text. */
export function pickPlan(random: Random, only: string): Plan {
  const kinds = [
    [nodeFaults, 2],
    [databaseFaults, 1],
    [connectionFaults, 2],
  ] as const
  return kinds.map(([faults, most]) => several(random, faults, most, only))
}

/**
 * Runs load and faults, examines the database, and lets all devices reconnect. Throws a `Breach`. Returns counts of what it
 * did.
 */
export async function playRound(world: World, plan: Plan): Promise<Record<string, number>> {
  const { cluster, population, witness } = world
  const before = { ...population.counts, blocks: witness.blocks, messages: witness.messages }
  await breakUnderLoad(world, plan)
  // Every answer that a device has received was sent before this check.
  const isRefilled = plan.flat().some(([, fault]) => fault.isRefilled)
  if (!isRefilled) await expectPromises(world, 'after the faults')
  for (const front of cluster.fronts) front.accept()
  await Promise.all(cluster.nodes.map(node => node.start()))
  await checkBackends(world)
  const visitors = await comeBack(population, cluster)
  await expectPromises(world, 'after all came back')
  expectNothing(witness.breaches)
  const check = await run('check', cluster.database.primary)
  if (!check.isWell) expectNothing([check.text], 'the command check:')
  const after = population.counts
  return {
    'edits made': after.edits - before.edits,
    'promises to devices': after.answers - before.answers,
    'promises to backends': after.backend - before.backend,
    'ledgers compared': population.devices.length + population.backends.length,
    'new devices': visitors,
    'blocks watched': witness.blocks - before.blocks,
    'messages of blocked viewers': witness.messages - before.messages,
  }
}

async function expectPromises({ cluster, population }: World, when: string): Promise<void> {
  expectNothing(brokenPromises(population, await statesIn(cluster.database.primary)), when)
}

async function breakUnderLoad(world: World, plan: Plan): Promise<void> {
  const { cluster, population, witness } = world
  const stop = new AbortController()
  const lives = Promise.all([
    ...population.devices.map(device => device.live(stop.signal, 'mixed', restMs)),
    ...population.backends.map((backend, index) =>
      backend.live(cluster.nodes[index] as (typeof cluster.nodes)[0], stop.signal),
    ),
    witness.live(stop.signal),
  ])
  const randoms = plan.map(() => population.nextRandom())
  const playing = plan.map((faults, index) => playAll(world, faults, randoms[index] as Random))
  // A block is answered in each round, however short the faults are, and although some of them stop everything.
  const broken = Promise.all([...playing, witness.nextBlock()])
  await Promise.race([broken, lives.then(() => broken)])
  for (const front of cluster.fronts) front.refuse()
  stop.abort()
  await lives
}

async function playAll(world: World, faults: Plan[number], random: Random): Promise<void> {
  for (const [, fault] of faults) {
    await pause(random.between(50, 800))
    await fault.play(world, random)
  }
  await pause(random.between(50, 500))
}

/** Checks that answered requests of a backend hold. */
async function checkBackends({ cluster, population }: World): Promise<void> {
  for (const backend of population.backends) {
    const found = await backend.found(cluster)
    expectNothing([backend.ledger.breach(found) ?? ''])
    backend.ledger.settle(found)
  }
}

function several(random: Random, faults: Faults, most: number, only: string): (readonly [string, Fault])[] {
  const entries = Object.entries(faults).filter(([name]) => name.includes(only))
  if (entries.length === 0) return []
  const weights = Object.fromEntries(entries.map(([name, { weight }]) => [name, weight]))
  return Array.from({ length: random.between(1, most) }, () => {
    const name = random.weighted(weights)
    return [name, faults[name] as Fault] as const
  })
}
