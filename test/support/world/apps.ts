import { type Operation, plan } from '../model/plans.ts'
import { act } from './act.ts'
import type { Device } from './device.ts'
import { factsOf } from './documents.ts'
import type { World } from './world.ts'

/** Lets a device do something, and compares with what the model says it must do [R3][R5]. */
export async function operate(world: World, device: Device, operation: Operation): Promise<void> {
  const { tab } = device
  if (!tab?.kith) return
  // To look somebody up by `getProfile` is to meet them.
  if (operation.type === 'save' || operation.type === 'remove' || operation.type === 'confirm') {
    await operate(world, device, { type: 'meet', whom: operation.whom })
  }
  const wanted = plan(operation, factsOf(tab.documents))
  let state: unknown = 'never came to an end'
  act(tab.kith, operation).then(
    () => {
      state = undefined
    },
    (error: unknown) => {
      state = error
    },
  )
  await world.settle({ tab, wanted })
  if (state !== undefined) world.wrong.push(`${device.name}: ${operation.type} ${String(state)} [D1]`)
}

/** Begins something on a device that may not come to its end. */
export function begin(device: Device, operation: Operation): void {
  const { tab } = device
  if (!tab?.kith) return
  act(tab.kith, operation).then(
    () => {
      tab.promise()
    },
    () => undefined,
  )
}

/**
 * An app waits for `whenSynced`: once it resolves, all that was safe on the device before is on the server's disk [D2],
 * and all that the user might see then is here.
 */
export async function promise(world: World, device: Device): Promise<void> {
  const { tab } = device
  if (!tab?.kith) return
  const { user } = device
  const before = [...device.safe]
  const incarnation = world.record.incarnationOf(user)
  // What is on the disk, and not yet confirmed to the server, counts as not done.
  const from = world.backend.isUp ? world.backend.position : world.record.position
  tab.kith.whenSynced().then(
    () => {
      if (incarnation !== world.record.incarnationOf(user)) return
      world.looks.push({ tab, from })
      const stored = new Set(world.record.includedOnDisk(user).map(({ id }) => id))
      if (!before.every(edit => stored.has(edit)))
        world.wrong.push(`${device.name}: whenSynced before all is on disk [D2][D3]`)
    },
    () => undefined,
  )
  await world.settle()
}

/** Sends a message that stands nowhere else; it is 'delivered' only if somebody took it. */
export async function send(world: World, device: Device, to: string): Promise<void> {
  const text = world.judge.newSecret({ owner: device.user, kind: 'message', to })
  device.tab?.kith?.send(to, text).then(
    outcome => {
      if (outcome === 'delivered' && !world.taken.has(text)) world.wrong.push(`nobody took what ${device.name} sent`)
    },
    () => undefined,
  )
  await world.settle()
}
