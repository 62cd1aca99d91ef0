import type { Device } from '../../support/raw-device.ts'
import { settle } from '../../support/server-world.ts'
import type { Cause } from './causes.ts'
import { bareDevice } from './owner-device.ts'
import { type Act, type Town, taken, writeSecret } from './town.ts'

/** The device and connection with which Alice shuts Bob out and then writes the secret. */
export interface Owner {
  /** As in `and an edit …`. */
  name: string
  by: Cause['by']
  /** Whether her phone runs an app. */
  isApp?: boolean
  /** Whether the edit is a separate act. */
  isInTwoSteps?: boolean
  /** Whether this owner is combined with every viewer, for every cause. */
  isTypical?: boolean
  acts(town: Town, cause: Cause): Promise<Act[]>
}

export const owners: readonly Owner[] = [
  { name: 'made offline on the same device', by: 'owner', acts: async (...story) => [() => offline(...story)] },
  { name: 'made offline in an app', by: 'owner', isApp: true, acts: async (...story) => [() => offline(...story)] },
  { name: 'in one breath', by: 'owner', acts: async (...story) => [() => inOneBreath(...story)] },
  { name: 'in one commit', by: 'owner', isTypical: true, acts: async (...story) => [() => inOneCommit(...story)] },
  { name: 'behind it, which the disk refuses', by: 'owner', acts: async (...story) => [() => refused(...story)] },
  { name: 'on a second device, which saw it', by: 'owner', isInTwoSteps: true, isTypical: true, acts: onTheSecond },
  { name: 'made offline on a second device, which saw it', by: 'owner', isInTwoSteps: true, acts: offlineOnTheSecond },
  { name: 'on a second device, while the disk refuses it', by: 'owner', acts: refusedToTheSecond },
  {
    name: 'on a device',
    by: 'backend',
    isInTwoSteps: true,
    isTypical: true,
    acts: async (town, cause) => [
      () => cause.take(town, town.phone),
      async () => {
        await writeSecret(town.phone, town)
        await town.phone.settle()
      },
    ],
  },
  {
    name: 'made offline before, and brought after',
    by: 'backend',
    isInTwoSteps: true,
    acts: async (town, cause) => {
      await town.phone.leave()
      await writeSecret(town.phone, town)
      return [() => cause.take(town, town.phone), () => town.phone.come()]
    },
  },
]

async function offline(town: Town, cause: Cause): Promise<void> {
  const { phone } = town
  await phone.leave()
  await cause.take(town, phone)
  await writeSecret(phone, town)
  await phone.come()
}

async function inOneBreath(town: Town, cause: Cause): Promise<void> {
  const { phone } = town
  await cause.take(town, phone)
  await writeSecret(phone, town)
  await phone.settle()
}

/** Everything that arrives while the disk is busy is written in one commit. */
async function inOneCommit(town: Town, cause: Cause): Promise<void> {
  const { phone, world } = town
  const isBusy = world.disk.hold()
  await phone.edit('dave', { label: 'Dave' })
  await isBusy
  await cause.take(town, phone)
  await writeSecret(phone, town)
  await taken(wireOf(town))
  world.disk.release()
  await phone.settle()
}

/** Updates that follow a failed write may depend on it. */
async function refused(town: Town, cause: Cause): Promise<void> {
  const { phone, world } = town
  const wire = wireOf(town)
  const isBusy = world.disk.hold()
  await cause.take(town, phone)
  await isBusy
  await writeSecret(phone, town)
  await taken(wire)
  world.disk.failNextWrites(1)
  world.disk.release()
  await wire.closed()
  await phone.come()
}

async function onTheSecond(town: Town, cause: Cause): Promise<Act[]> {
  const wire = await secondDevice(town)
  const tablet = bareDevice(wire)
  return [
    () => takeAndShow(town, cause, wire),
    async () => {
      await writeSecret(tablet, town)
      await tablet.settle()
    },
  ]
}

async function offlineOnTheSecond(town: Town, cause: Cause): Promise<Act[]> {
  const wire = await secondDevice(town)
  const tablet = bareDevice(wire)
  return [
    async () => {
      await takeAndShow(town, cause, wire)
      await tablet.leave()
      await writeSecret(tablet, town)
    },
    () => tablet.come(),
  ]
}

/**
 * The tablet edits as soon as it sees Bob shut out. If that change were not on disk yet, the edit would reach the disk first.
 */
async function refusedToTheSecond(town: Town, cause: Cause): Promise<Act[]> {
  const { phone, world } = town
  const [wire, tablet] = [wireOf(town), await secondDevice(town)]
  return [
    async () => {
      const before = rosterOf(tablet)
      world.disk.failNextWrites(1)
      await cause.take(town, phone)
      await wire.closed()
      await tablet.barrier()
      const isShownEarly = rosterOf(tablet) !== before
      if (isShownEarly) await editOn(tablet, town)
      await phone.come()
      await shown(wire, tablet)
      if (!isShownEarly) await editOn(tablet, town)
    },
  ]
}

async function editOn(tablet: Device, town: Town): Promise<void> {
  await writeSecret(bareDevice(tablet), town)
  await tablet.barrier()
}

async function secondDevice({ world, phone }: Town): Promise<Device> {
  await phone.settle()
  const [tablet] = await world.devices('alice')
  await settle(tablet)
  return tablet
}

async function takeAndShow(town: Town, cause: Cause, tablet: Device): Promise<void> {
  await cause.take(town, town.phone)
  await town.phone.settle()
  await shown(wireOf(town), tablet)
}

function shown(phone: Device, tablet: Device): Promise<void> {
  return tablet.until("what the phone's roster says", () => rosterOf(tablet) === rosterOf(phone))
}

function rosterOf({ roster }: Device): string {
  const roots = ['contacts', 'grants', 'subscriptions', 'declined', 'blocks', 'privacy']
  return JSON.stringify(roots.map(root => [...roster.getMap(root).keys()].sort()))
}

function wireOf({ wire }: Town): Device {
  if (!wire) throw new Error("the owner's phone runs an app")
  return wire
}
