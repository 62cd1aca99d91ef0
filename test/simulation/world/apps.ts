import { type ErrorCode, KithError } from '@kith/shared'
import type { FactChanges } from '../model/edits.ts'
import { type Operation, plan } from '../model/plans.ts'
import { act } from './act.ts'
import type { Device, Tab } from './device.ts'
import { factsOf } from './documents.ts'
import { factsOfChanges } from './facts-of-changes.ts'
import { isAccountedFor } from './kept.ts'
import type { World } from './world.ts'

/** Performs an operation on a device, and compares the result with the model's prediction [R3][R5]. */
export async function operate(world: World, device: Device, operation: Operation): Promise<void> {
  const { tab } = device
  if (!tab?.kith) return
  // To look up a user by `getProfile` counts as meeting that user.
  if (operation.type === 'save' || operation.type === 'remove' || operation.type === 'confirm') {
    await operate(world, device, { type: 'meet', whom: operation.whom })
  }
  const stands = factsOf(tab.documents)
  const { view } = tab
  const whole = withStaged(tab, operation)
  const planned = plan(whole, view)
  // Taking back a change that was only refused writes nothing: as far as this device knows, no server has it.
  const written = new Map([...planned].filter(([name, value]) => (stands.get(name) ?? usual[name]) !== value))
  let state: unknown = 'never came to an end'
  act(tab.kith, operation).then(
    () => {
      state = undefined
    },
    (error: unknown) => {
      state = error
    },
  )
  // A change that exceeds the lower limits of a server is not made. A user who was only looked at is then not followed [D5].
  const isTooMuch = (): boolean => tab.hasLowLimits && (isLimit(state) || operation.type === 'meet')
  const wanted = (isWritten: boolean): FactChanges => (!isWritten && isTooMuch() ? new Map() : written)
  const besides = new Map([...planned].filter(([name]) => !written.has(name)))
  // A change that says something else also takes back what only a refused change said.
  const laidOver = [...written.keys()].filter(name => view.get(name) !== stands.get(name))
  tab.device.takeBack([...besides.keys(), ...laidOver], world.record.count)
  await world.settle({ tab, wanted, besides })
  if (whole.type === 'save' && isTooMuch()) tab.staged.set(whole.whom, whole)
  else if (whole.type === 'save' || whole.type === 'remove') tab.staged.delete(whole.whom)
  if (state !== undefined && !(tab.hasLowLimits && isLimit(state)))
    world.wrong.push(`${device.name}: ${operation.type} ${String(state)} [D1]`)
}

/** Settings of a save that exceeded a limit stay staged, and the next save writes them, too. */
function withStaged(tab: Tab, operation: Operation): Operation {
  if (operation.type !== 'save') return operation
  return { ...tab.staged.get(operation.whom), ...operation }
}

const usual: { readonly [name: string]: unknown } = { audience: 'everyone' }

const limitCodes: ReadonlySet<string> = new Set<ErrorCode>([
  'label-too-long',
  'roster-too-large',
  'profile-too-large',
  'too-many-levels',
  'field-name-too-long',
  'too-many-relations',
])

function isLimit(error: unknown): boolean {
  return error instanceof KithError && limitCodes.has(error.code)
}

/** Begins an operation on a device. The operation may never finish. */
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
 * An app waits for `whenSynced`. When it resolves, everything that was on the device's disk before is on the server's disk
 * [D2], and everything that the user could see at that time is here.
 */
export async function promise(world: World, device: Device): Promise<void> {
  const { tab } = device
  if (!tab?.kith) return
  const { user, liedTo } = device
  const before = [...device.safe]
  const incarnation = world.record.incarnationOf(user)
  const isLiedTo = (): boolean =>
    world.network.wires.some(wire => wire.isHostile && (wire.caller as Tab).device === device)
  // Changes that are on the disk, but not yet confirmed to the server, count as not made.
  const from = world.position
  // A server that has not yet learned what its database lost responds as it would have before the loss.
  const isLost = world.cluster?.isBehindLoss() ?? false
  const { lossyFailOvers } = world
  tab.kith.whenSynced().then(
    () => {
      if (incarnation !== world.record.incarnationOf(user) || liedTo !== device.liedTo || isLiedTo()) return
      world.looks.push({ tab, from })
      if (!isLost && lossyFailOvers === world.lossyFailOvers) expectOnDisk(world, tab, new Set(before))
    },
    () => undefined,
  )
  await world.settle()
}

/** Everything that was saved before is on the server's disk, or is known to be refused [D2][D5]. */
function expectOnDisk(world: World, tab: Tab, before: ReadonlySet<number>): void {
  if (!tab.kith) return
  const { device, user, refused, view } = tab
  const { record } = world
  const edits = record.editsOf(user)
  const included = new Set(record.includedOnDisk(user))
  const facts = new Map(record.now.accounts.get(user)?.facts)
  // The width of an audience follows from several keys, and some of them may be refused.
  for (const [name, value] of factsOfChanges(refused, view)) facts.set(name, value)
  const missing = edits
    .filter(edit => before.has(edit.id) && !included.has(edit) && !record.isDead(edit.id))
    .find(edit => !world.mayRefuse || isAccountedFor(edit, { facts, included, edits, device }) !== undefined)
  if (missing) world.wrong.push(`${device.name}: whenSynced before all is on disk [D2][D3]`)
}

/** Sends a message with a unique text. It is 'delivered' only if a device accepted it. */
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
