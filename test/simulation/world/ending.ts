import { check } from '@kith/server'
import { levelsSeen } from '../model/sight.ts'
import type { Device } from './device.ts'
import { factsOf } from './documents.ts'
import { changesText, sameChanges } from './facts-of-changes.ts'
import { checkHoldings } from './holdings.ts'
import { checkPresences } from './presence-judge.ts'
import type { World } from './world.ts'

/** Ends all faults, reconnects all devices, and delivers everything in flight. */
export async function heal(world: World): Promise<void> {
  world.healDatabase()
  await world.settle()
  await world.setHostility(undefined)
  if (world.mayRefuse) await world.setLimits({})
  await world.startServer()
  for (const device of world.devices) {
    device.isCut = false
    device.thaw()
    if (!device.wasOpened) continue
    // Changes that were refused for a reason other than a limit are offered again when the client opens.
    if (device.liedTo > 0) await world.close(device)
    if (device.tabs.length === 0) await world.open(device)
    device.tab?.kith?.connect()
  }
  await world.settle()
  for (let round = 0; round < 12; round++) {
    for (const device of world.devices) if (device.wasOpened && device.tabs.length === 0) await world.open(device)
    await world.flow()
    await world.pass(round < 6 ? 5_000 : 60_000, true)
    await world.flow()
    if (world.devices.every(isAtRest)) return
  }
  const late = world.devices.filter(device => !isAtRest(device))
  const told = late.map(({ name, tabs }) => `${name} (${tabs.map(({ kith }) => kith?.status).join(', ')})`)
  world.wrong.push(`never synced: ${told.join(', ')} [F1]`)
}

/** What must hold at the end: the devices of a user are equal, viewers hold what they may see, and `check` finds nothing. */
export async function expectAgreement(world: World): Promise<void> {
  for (const device of world.devices) {
    for (const tab of device.tabs) {
      const facts = factsOf(tab.documents)
      world.record.judge(`on ${device.name} at the end`, device.user, tab.documents, facts, true, world.mayRefuse)
      const stored = world.record.now.accounts.get(device.user)?.facts ?? new Map()
      if (!sameChanges(facts, stored)) {
        world.wrong.push(`${device.name} differs from the server: ${changesText(facts)} / ${changesText(stored)} [R1]`)
      }
      world.scribe.expectKept(tab, true)
      await checkHoldings(world.record, { tab, isEnd: true }, world.wrong)
    }
    expectJoins(world, device)
  }
  const { findings } = await check(await world.database())
  for (const finding of findings) world.wrong.push(`check: ${JSON.stringify(finding)} [D4]`)
}

/** When everything is exchanged, `whenSynced` resolves in each tab, whichever tab has the socket [D2]. */
export async function expectSynced(world: World): Promise<void> {
  const waiting = new Set<string>()
  for (const device of world.devices) {
    for (const [index, { kith }] of device.tabs.entries()) {
      const name = `tab ${index} of ${device.name}`
      waiting.add(name)
      const ended = (): boolean => waiting.delete(name)
      kith?.whenSynced().then(ended, ended) // A refusal that nobody waited for is told to the next one [D5].
    }
  }
  await world.settle()
  await world.flow()
  await world.pass(5_000, true)
  for (const name of waiting) world.wrong.push(`${name} waits for ever for whenSynced [D2]`)
}

/** When nothing changes for a while, each app shows which of the users that it may know are online [V3][V8]. */
export async function expectPresences(world: World): Promise<void> {
  const tabs = world.devices.flatMap(device => device.tabs)
  if (tabs.every(({ presences }) => presences.size === 0)) return
  for (let round = 0; round < 3; round++) {
    await world.pass(10_000, true)
    await world.flow()
  }
  checkPresences(world.record, tabs, world.wrong)
}

/** A viewer who followed a user when that user joined, and has seen something of the user since, was notified [F3]. */
function expectJoins(world: World, device: Device): void {
  for (const [owner, { position, isAnnounced }] of world.record.registeredAt) {
    const wasErased = world.record.incarnationOf(owner) > 0 // Then it may have been told of the account before.
    if (wasErased || !isAnnounced || !device.isWhole || (device.firstPosition ?? Infinity) >= position) continue
    const since = Array.from({ length: world.record.position - position + 1 }, (_, index) => position + index)
    const isFollower = since.every(at => {
      const moment = world.record.at(at)
      return (
        !moment ||
        (moment.accounts.get(device.user)?.facts.has(`follow ${owner}`) &&
          levelsSeen(moment, owner, device.user).size > 0)
      )
    })
    if (isFollower && !device.wasToldOf(owner))
      world.wrong.push(`${device.name} was not told that ${owner} joined [F3]`)
  }
}

function isAtRest({ wasOpened, tabs }: Device): boolean {
  return !wasOpened || tabs.every(({ kith }) => kith?.status === 'synced' && kith.unsent === 0)
}
