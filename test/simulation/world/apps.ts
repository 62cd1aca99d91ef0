import { type ErrorCode, KithError } from '@kith/shared'
import type { FactChanges } from '../model/edits.ts'
import { type Operation, plan } from '../model/plans.ts'
import { act } from './act.ts'
import type { Device, Tab } from './device.ts'
import { factsOf } from './documents.ts'
import { factsOfChanges } from './facts-of-changes.ts'
import { isAccountedFor } from './kept.ts'
import type { World } from './world.ts'

/** Lets a device do something, and compares with what the model says it must do [R3][R5]. */
export async function operate(world: World, device: Device, operation: Operation): Promise<void> {
  const { tab } = device
  if (!tab?.kith) return
  // To look somebody up by `getProfile` is to meet them.
  if (operation.type === 'save' || operation.type === 'remove' || operation.type === 'confirm') {
    await operate(world, device, { type: 'meet', whom: operation.whom })
  }
  const stands = factsOf(tab.documents)
  const { view } = tab
  const planned = plan(operation, view)
  // To take back what is only refused writes nothing: no server has it, as far as this device knows.
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
  // What a server with lower limits has no room for is not made; whom one only looked at is not followed then [D5].
  const isTooMuch = (): boolean => tab.hasLowLimits && (isLimit(state) || operation.type === 'meet')
  const wanted = (isWritten: boolean): FactChanges => (!isWritten && isTooMuch() ? new Map() : written)
  const besides = new Map([...planned].filter(([name]) => !written.has(name)))
  // What only a refused change said is taken back as well by a change that says something else.
  const laidOver = [...written.keys()].filter(name => view.get(name) !== stands.get(name))
  tab.device.takeBack([...besides.keys(), ...laidOver], world.record.count)
  await world.settle({ tab, wanted, besides })
  if (state !== undefined && !(tab.hasLowLimits && isLimit(state)))
    world.wrong.push(`${device.name}: ${operation.type} ${String(state)} [D1]`)
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
  const { user, liedTo } = device
  const before = [...device.safe]
  const incarnation = world.record.incarnationOf(user)
  const isLiedTo = (): boolean =>
    world.network.wires.some(wire => wire.isHostile && (wire.caller as Tab).device === device)
  // What is on the disk, and not yet confirmed to the server, counts as not done.
  const from = world.position
  // A server that does not know yet what its database has lost answers as it would have before.
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

/** What was saved before is on the server's disk, or is known to be refused [D2][D5]. */
function expectOnDisk(world: World, tab: Tab, before: ReadonlySet<number>): void {
  if (!tab.kith) return
  const { device, user, refused, view } = tab
  const { record } = world
  const edits = record.editsOf(user)
  const included = new Set(record.includedOnDisk(user))
  const facts = new Map(record.now.accounts.get(user)?.facts)
  // How narrow an audience is follows from several keys, of which some may be refused.
  for (const [name, value] of factsOfChanges(refused, view)) facts.set(name, value)
  const missing = edits
    .filter(edit => before.has(edit.id) && !included.has(edit) && !record.isDead(edit.id))
    .find(edit => !world.mayRefuse || isAccountedFor(edit, { facts, included, edits, device }) !== undefined)
  if (missing) world.wrong.push(`${device.name}: whenSynced before all is on disk [D2][D3]`)
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
