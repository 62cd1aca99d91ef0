import { setTimeout as pause } from 'node:timers/promises'
import { expectNothing } from '../../breach.ts'
import { brokenPromises } from '../../judge.ts'
import type { Place } from '../database.ts'
import { processesOf, receiverOf, sendersOf, signalAll } from '../processes.ts'
import { statesIn } from '../stored.ts'
import type { World } from '../world.ts'
import { endBackend } from './backends.ts'
import type { Fault, Faults } from './fault.ts'

/** Faults of the servers of the database. */
export const databaseFaults: Faults = {
  'the primary killed, a standby promoted': {
    weight: 4,
    async play(world, random) {
      const { database } = world.cluster
      const old = database.primaryPlace
      await database.primary.kill()
      await promote(world, random.fraction() < 0.5)
      await replace(world, old)
    },
  },
  'the primary cut off with a node, a standby promoted': { weight: 3, play: cutOff },
  'the primary stopped (SIGSTOP)': {
    weight: 2,
    async play({ cluster: { database } }, random) {
      const pids = await processesOf(database.primary)
      signalAll(pids, 'SIGSTOP')
      await pause(random.between(200, 4_000))
      signalAll(pids, 'SIGCONT')
    },
  },
  'the primary stopped, a standby promoted, the old primary goes on': {
    weight: 1,
    async play(world, random) {
      const { database } = world.cluster
      const old = database.primaryPlace
      const pids = await processesOf(database.primary)
      signalAll(pids, 'SIGSTOP')
      await promote(world, false)
      signalAll(pids, 'SIGCONT')
      await pause(random.between(200, 2_000))
      await replace(world, old)
    },
  },
  'a receiver stopped (SIGSTOP)': {
    weight: 1,
    async play({ cluster: { database } }, random) {
      const standby = database.at(random.pick(database.standbys))
      const pids = standby ? await receiverOf(standby) : []
      signalAll(pids, 'SIGSTOP')
      await pause(random.between(500, 2_500))
      signalAll(pids, 'SIGCONT')
    },
  },
  'commits reach no standby, backends that wait for one ended, the primary killed': {
    weight: 2,
    isRefilled: true,
    play: endWaiting,
  },
}

/**
 * One node can reach only the old primary, whose commits no standby confirms any more. The other nodes can reach only the new
 * primary.
 */
async function cutOff(world: World, random: Parameters<Fault['play']>[1]): Promise<void> {
  const { database, nodes } = world.cluster
  const old = database.primaryPlace
  const alone = random.pick(nodes)
  for (const { links } of nodes.filter(node => node !== alone)) links.get(old)?.refuse()
  for (const [place, link] of alone.links) if (place !== old) link.refuse()
  await promote(world, false)
  // Until the other nodes may have answered a block without the isolated node.
  await pause(random.between(2_500, 5_000))
  await database.remove(old)
  for (const { links } of nodes) for (const link of links.values()) link.accept()
  await database.addStandby(old)
}

/** Commits that no standby has become visible, and are then lost. */
async function endWaiting(world: World, random: Parameters<Fault['play']>[1]): Promise<void> {
  const { database } = world.cluster
  const old = database.primaryPlace
  signalAll(await sendersOf(database.primary), 'SIGSTOP')
  for (let count = random.between(5, 15); count > 0; count--) {
    await pause(random.below(150))
    await endBackend(database.primary, random, "and wait_event = 'SyncRep'")
  }
  await database.primary.kill()
  await promote(world, true)
  await replace(world, old)
}

/** `isExamined`: no device can reach a node until a check has shown that the new primary has all answered commits [D2]. */
async function promote({ cluster, population }: World, isExamined: boolean): Promise<void> {
  const { database, fronts } = cluster
  if (isExamined) for (const front of fronts) front.refuse()
  await database.promote()
  if (isExamined) {
    expectNothing(brokenPromises(population, await statesIn(database.primary)), 'after a promotion')
    for (const front of fronts) front.accept()
  }
}

async function replace({ cluster: { database } }: World, place: Place): Promise<void> {
  await database.remove(place)
  await database.addStandby(place)
}
