import { coreOf } from '../../support/client-internals.ts'
import { begin, operate, promise, send as sendMessage } from '../world/apps.ts'
import type { Device } from '../world/device.ts'
import { expectAgreement, expectPresences, expectSynced, heal } from '../world/ending.ts'
import { World } from '../world/world.ts'
import { acquaintance, type History, type NodeStep, operationOf, otherOf, owners, type Step, users } from './steps.ts'

/** With `KITH_TELL=1`, every step and every frame is printed. */
const isTold = process.env['KITH_TELL'] !== undefined

function tell(way: string, frame: object): void {
  const text = JSON.stringify(frame, (_key, value: unknown) =>
    value instanceof Uint8Array
      ? Buffer.from(value)
          .toString('latin1')
          .replaceAll(/[^ -~]+/g, '.')
      : value,
  )
  console.info(`  ${way}: ${text.slice(0, 200)}`)
}

/** Plays a history until it ends or a violation is found. Returns the violations, in words. */
export async function play(history: History): Promise<string[]> {
  const { seed, cast, isAcquainted, outstandingBytes, hasTabs, nodes, steps } = history
  const world = await World.begin({ seed, outstandingBytes, hasTabs, nodes, tell: isTold ? tell : undefined })
  try {
    const all = owners.map((user, index) => world.device(user, `${user}'s ${index % 2 === 0 ? 'phone' : 'laptop'}`))
    if (isAcquainted) for (const step of acquaintance) await take(world, all, step)
    const devices = Array.from({ length: 12 }, (_, index) => all[cast[index % cast.length] as number] as Device)
    for (const step of steps) {
      if (isTold) console.info(JSON.stringify(step))
      await take(world, devices, step)
      if (world.wrong.length > 0) return world.wrong
    }
    await heal(world)
    if (world.wrong.length === 0) await expectAgreement(world)
    if (world.wrong.length === 0) await expectSynced(world)
    if (world.wrong.length === 0) await expectPresences(world)
    return world.wrong
  } finally {
    await world.end()
  }
}

async function take(world: World, devices: readonly Device[], step: Step): Promise<void> {
  const device = 'device' in step ? (devices[step.device] as Device) : undefined
  switch (step.do) {
    case 'act':
      return act(world, device as Device, step.act)
    case 'send':
      return send(world, device as Device, step.whom)
    case 'watch':
      if (device?.tabs.length === 0) await world.open(device)
      device?.tab?.watch(otherOf(device.user, step.whom))
      return
    case 'unwatch':
      device?.tab?.unwatch(otherOf(device.user, step.whom))
      return
    case 'sync':
      return promise(world, device as Device)
    case 'next':
      for (const pick of step.picks) await world.next(pick)
      return
    case 'flow':
      return world.flow()
    case 'pass':
      return world.pass(step.seconds * 1000, step.flows)
    case 'connect':
      return reach(world, device as Device, true)
    case 'disconnect':
      await reach(world, device as Device, false)
      device?.tab?.kith?.disconnect()
      return world.settle()
    case 'close':
      return world.close(device as Device)
    case 'openTab':
      await reach(world, device as Device, true)
      if (world.hasTabs && (device?.tabs.length ?? 0) < 2) await world.open(device as Device)
      return
    case 'turn':
      await world.thaw(device as Device)
      device?.turn()
      return
    case 'freeze':
      return world.freeze(device as Device)
    case 'thaw':
      return world.thaw(device as Device)
    case 'closeTab':
      return closeTab(world, device as Device)
    case 'kill':
    case 'killTab': {
      const isOneOfTwo = step.do === 'killTab'
      if (isOneOfTwo && (device?.tabs.length ?? 0) < 2) return
      await world.thaw(device as Device)
      if (step.act) begin(device as Device, operationFor(world, device as Device, step.act))
      return world.kill(device as Device, step.afterTurns, isOneOfTwo ? 1 : undefined)
    }
    case 'lose':
      return world.loseDatabase(device as Device)
    case 'backUp':
      await device?.backUp()
      return world.settle()
    case 'restore':
      return world.restoreDatabase(device as Device)
    case 'partition':
      ;(device as Device).isCut = step.isCut
      return
    case 'cut': {
      const { wires } = world.network
      const wire = wires[step.pick % Math.max(1, wires.length)]
      if (wire) world.network.cut(wire, step.told)
      return world.settle()
    }
    case 'move':
    case 'killNode':
    case 'stopNode':
    case 'startNode':
    case 'freezeNode':
    case 'thawNode':
    case 'slowNode':
    case 'failBatch':
    case 'failOver':
    case 'trimLog':
      return takeNodeStep(world, devices, step)
    default:
      return takeBackendStep(world, step)
  }
}

async function takeNodeStep(world: World, devices: readonly Device[], step: NodeStep): Promise<void> {
  const { cluster } = world
  if (!cluster) return
  if (step.do === 'failOver') return world.failOver(step.isLossy)
  if (step.do === 'trimLog') return cluster.log.trim()
  const node = step.node % cluster.nodes.length
  switch (step.do) {
    case 'move':
      return world.moveDevice(devices[step.device] as Device, node)
    case 'killNode':
      return world.killNode(node, step.losesFrames)
    case 'stopNode':
      return world.stopNode(node)
    case 'startNode':
      return world.startNode(node)
    case 'freezeNode':
      return cluster.freeze(node)
    case 'thawNode':
      cluster.thaw(node)
      return world.settle()
    case 'slowNode':
      return cluster.slow(node, step.isSlow)
    case 'failBatch':
      return cluster.failNext(node, step.fault)
  }
}

async function takeBackendStep(world: World, step: Step): Promise<void> {
  const { backend, disk, network } = world
  switch (step.do) {
    case 'slowNetwork':
      network.isSlow = step.isSlow
      return
    case 'slowDisk':
      disk.isSlow = step.isSlow
      return
    case 'failWrite':
      return disk.failNextWrite(step.fault)
    case 'killServer':
      return world.killServer(step.losesFrames)
    case 'startServer':
      return world.startServer()
    case 'backUpServer':
      return world.backUpServer()
    case 'restoreServer':
      return world.restoreServer()
    case 'loseServerStore':
      return world.loseServerStore()
    case 'restartServer':
      return world.restartServer(step.compacts)
    case 'limits':
      return world.setLimits(step.limits)
    case 'hostile':
      return world.setHostility(step.hostility)
    case 'honest':
      return world.setHostility(undefined)
    case 'restrict':
      return world.ask(() => backend.api('PUT', `/v1/users/${users[step.user]}`, { restricted: step.restricted }))
    case 'register':
      return world.ask(() => backend.api('PUT', `/v1/users/${users[step.user]}`, { announceJoin: step.announceJoin }))
    case 'pair':
      if (step.a === step.b) return
      return world.ask(() =>
        backend.api(step.isPaired ? 'PUT' : 'DELETE', `/v1/pairs/${users[step.a]}/${users[step.b]}`),
      )
    case 'erase':
      if (world.hasLostStore) return
      return world.ask(() => backend.api('DELETE', `/v1/users/${users[step.user]}`))
    case 'refound':
      return world.refound(users[step.user] as string, step.document)
    case 'revoke':
      return world.ask(() => backend.api('POST', `/v1/users/${users[step.user]}/sessions/revoke`))
  }
}

/** Closes one of two tabs. The other continues. */
async function closeTab(world: World, device: Device): Promise<void> {
  if (device.tabs.length < 2) return
  await world.thaw(device)
  const closed = device.close(1)
  await world.settle()
  await closed
}

/** Opens a device when it is first used. */
async function reach(world: World, device: Device, connects: boolean): Promise<void> {
  if (device.tabs.length === 0) await world.open(device, connects)
  else if (connects) device.tab?.kith?.connect()
  await world.settle()
}

function operationFor(
  world: World,
  { user, tab }: Device,
  what: Parameters<typeof operationOf>[1],
): ReturnType<typeof operationOf> {
  const { hands } = (tab?.kith && coreOf(tab.kith).store.documents) ?? {}
  return operationOf(
    user,
    what,
    (kind, where) => world.judge.newSecret({ owner: user, kind, ...where }),
    whom => hands?.get(whom)?.incarnation ?? '',
  )
}

async function act(world: World, device: Device, what: Parameters<typeof operationOf>[1]): Promise<void> {
  if (device.tabs.length === 0) await world.open(device)
  await operate(world, device, operationFor(world, device, what))
}

async function send(world: World, device: Device, whom: number): Promise<void> {
  if (device.tabs.length === 0) await world.open(device)
  await sendMessage(world, device, otherOf(device.user, whom))
}
