import fc from 'fast-check'
import { expect, test } from 'vitest'
import { holdsAsync } from '../support/properties.ts'
import type { Device } from '../support/raw-device.ts'
import { serverWorld, settle, type World } from '../support/server-world.ts'

const users = ['alice', 'bob', 'carol'] as const
type User = (typeof users)[number]
const levels = [0, 1, 2]

type Operation =
  | { does: 'set'; user: User; device: number; level: number; isRemoved: boolean }
  | { does: 'grant'; user: User; device: number; other: User; levels: number[] | null }
  | { does: 'follow'; user: User; device: number; other: User; isOn: boolean }
  | { does: 'block'; user: User; device: number; other: User; isOn: boolean }
  | { does: 'audience'; user: User; device: number; audience: 'everyone' | 'contacts' | 'nobody' }
  | { does: 'restrict'; user: User; isOn: boolean }
  | { does: 'pair'; user: User; other: User; isOn: boolean }
  | { does: 'leave' | 'break' | 'return'; user: User; device: number }
  | { does: 'settle' }

const user = fc.constantFrom(...users)
const device = fc.constantFrom(0, 1)
const isOn = fc.boolean()
const at = { user, device }
const does = <T extends string>(name: T): { does: fc.Arbitrary<T> } => ({ does: fc.constant(name) })

const operation: fc.Arbitrary<Operation> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({ ...does('set'), ...at, level: fc.constantFrom(...levels), isRemoved: fc.boolean() }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      ...does('grant'),
      ...at,
      other: user,
      levels: fc.option(fc.uniqueArray(fc.constantFrom(...levels))),
    }),
  },
  { weight: 3, arbitrary: fc.record({ ...does('follow'), ...at, other: user, isOn }) },
  { weight: 2, arbitrary: fc.record({ ...does('block'), ...at, other: user, isOn }) },
  {
    weight: 2,
    arbitrary: fc.record({
      ...does('audience'),
      ...at,
      audience: fc.constantFrom('everyone' as const, 'contacts' as const, 'nobody' as const),
    }),
  },
  fc.record({ ...does('restrict'), user, isOn }),
  fc.record({ ...does('pair'), user, other: user, isOn }),
  {
    weight: 4,
    arbitrary: fc.record({ does: fc.constantFrom('leave' as const, 'break' as const, 'return' as const), ...at }),
  },
  fc.record(does('settle')),
)

/**
 * What a viewer should see, computed from plain maps of each user's own documents: a model that shares no code with the server.
 */
class Model {
  restricted = new Set<string>()
  pairs = new Set<string>()

  shown(owner: Device, viewer: Device): Set<number> {
    const own = (device: Device, root: string): string[] => [...device.roster.getMap(root).keys()]
    const blocks = (a: Device, b: Device): boolean => own(a, 'blocks').some(key => key.endsWith(`/${b.user}`))
    if (blocks(owner, viewer) || blocks(viewer, owner)) return new Set()
    const isRestricted = this.restricted.has(owner.user) || this.restricted.has(viewer.user)
    if (isRestricted && !this.pairs.has([owner.user, viewer.user].sort().join())) return new Set()
    const granted = new Set(levels.filter(level => own(owner, 'grants').includes(`${level}/${viewer.user}`)))
    const isFollowed = own(viewer, 'subscriptions').includes(owner.user)
    const isDeclined = own(viewer, 'declined').includes(owner.user)
    if (!isFollowed && (isDeclined || granted.size === 0)) return new Set()
    const privacy = own(owner, 'privacy').map(key => key.slice(key.indexOf('/') + 1))
    const isContact = own(owner, 'contacts').includes(viewer.user)
    const isOpen = !privacy.includes('nobody') && (!privacy.includes('contactsOnly') || isContact)
    if (granted.size > 0 || isOpen) granted.add(0)
    return granted
  }
}

/** Runs operations one after another without waiting, on two devices of each of three users. */
async function run(world: World, operations: readonly Operation[]): Promise<void> {
  const model = new Model()
  const devices = new Map<User, Device[]>()
  for (const name of users) devices.set(name, [...(await world.devices(name, name))])
  const all = [...devices.values()].flat()
  const secrets: { secret: string; owner: User; level: number }[] = []
  const of = (name: User, index: number): Device => devices.get(name)?.[index] as Device

  for (const one of operations) {
    if ('other' in one && one.other === one.user) continue
    switch (one.does) {
      case 'set': {
        const secret = `secret-${secrets.length}-of-${one.user}`
        secrets.push({ secret, owner: one.user, level: one.level })
        of(one.user, one.device).setField('field', one.isRemoved ? undefined : secret, one.level)
        break
      }
      case 'grant':
        of(one.user, one.device).edit(one.other, { levels: one.levels })
        break
      case 'follow':
        of(one.user, one.device).edit(one.other, { isSubscribed: one.isOn })
        break
      case 'block':
        of(one.user, one.device).edit(one.other, { isBlocked: one.isOn })
        break
      case 'audience':
        of(one.user, one.device).setAudience(one.audience)
        break
      case 'restrict':
        await world.admin('PUT', `/v1/users/${one.user}`, { restricted: one.isOn })
        model.restricted[one.isOn ? 'add' : 'delete'](one.user)
        break
      case 'pair':
        await world.admin(one.isOn ? 'PUT' : 'DELETE', `/v1/pairs/${one.user}/${one.other}`)
        model.pairs[one.isOn ? 'add' : 'delete']([one.user, one.other].sort().join())
        break
      case 'leave':
        await of(one.user, one.device).close()
        break
      case 'break': {
        const broken = of(one.user, one.device)
        if (broken.isConnected) {
          broken.drop()
          await broken.closed()
        }
        break
      }
      case 'return':
        if (!of(one.user, one.device).isConnected) await of(one.user, one.device).signIn()
        break
      case 'settle':
        await settle(...all)
        await expectAsModelled(world, model, devices, false)
    }
  }
  for (const one of all) if (!one.isConnected) await one.signIn()
  await settle(...all)
  await expectAsModelled(world, model, devices, true)
  expectNoUnseenSecret(devices, secrets)
  await expectProbesToReachWhomTheyMay(model, devices)
}

/**
 * Each level's next value is in the bytes of exactly the viewers who see it. After a block in the same burst, no viewer
 * receives it.
 */
async function expectProbesToReachWhomTheyMay(model: Model, devices: ReadonlyMap<User, Device[]>): Promise<void> {
  const all = [...devices.values()].flat()
  for (const [name, [owner]] of devices) {
    if (!owner) continue
    for (const level of levels) owner.setField('field', `probe-${level}-of-${name}`, level)
    await settle(...all)
    for (const viewer of all.filter(({ user }) => user !== name)) {
      const received = levels.filter(level => viewer.received(`probe-${level}-of-${name}`))
      expect([name, viewer.user, received]).toEqual([name, viewer.user, [...model.shown(owner, viewer)].sort()])
    }
  }
  for (const [name, [owner]] of devices) {
    for (const other of users) if (other !== name) owner?.edit(other, { isBlocked: true })
    for (const level of levels) owner?.setField('field', `late-${level}-of-${name}`, level)
  }
  await settle(...all)
  for (const viewer of all) {
    for (const name of users) if (name !== viewer.user) expect(late(viewer, name)).toBe(false)
  }
}

function late(viewer: Device, owner: User): boolean {
  return levels.some(level => viewer.received(`late-${level}-of-${owner}`))
}

/** Each connected viewer holds exactly what the model allows. */
async function expectAsModelled(
  world: World,
  model: Model,
  devices: ReadonlyMap<User, Device[]>,
  isEverybodyHere: boolean,
): Promise<void> {
  for (const owners of devices.values()) {
    const owner = owners.find(({ isConnected }) => isConnected)
    for (const viewers of owner ? devices.values() : []) {
      for (const viewer of viewers) {
        if (!owner || viewer.user === owner.user || !viewer.isConnected) continue
        const expected: Record<number, unknown> = {}
        for (const level of model.shown(owner, viewer)) {
          const [value] =
            [...owner.profile.getMap('fields')]
              .filter(([key]) => key.startsWith(`${level}/`))
              .sort()
              .at(-1)
              ?.slice(1) ?? []
          if (value !== undefined) expected[level] = { field: value }
        }
        const held = [...(viewer.replicas.get(owner.user) ?? [])].filter(([, fields]) => 'field' in fields)
        expect({ owner: owner.user, viewer: viewer.user, held: Object.fromEntries(held) }).toEqual({
          owner: owner.user,
          viewer: viewer.user,
          held: expected,
        })
      }
    }
  }
  if (isEverybodyHere) expect(await world.check()).toEqual([])
}

/** For each secret that a viewer received, an earlier frame granted the level. */
function expectNoUnseenSecret(
  devices: ReadonlyMap<User, Device[]>,
  secrets: readonly { secret: string; owner: User; level: number }[],
): void {
  for (const viewer of [...devices.values()].flat()) {
    const granted = new Map<string, readonly number[]>()
    for (const frame of viewer.frames) {
      if (frame.type === 'access') granted.set(frame.owner, frame.levels)
      if (frame.type === 'profile') expect(granted.get(frame.owner)).toContain(frame.level)
    }
    for (const { secret, owner, level } of secrets) {
      if (owner === viewer.user) continue
      const carriers = viewer.bytes.filter(bytes => Buffer.from(bytes).includes(`${secret}`))
      const frames = carriers.map(bytes => viewer.frames[viewer.bytes.indexOf(bytes)])
      for (const frame of frames) expect(frame).toMatchObject({ type: 'profile', owner, level })
    }
  }
}

test('[V4][V7][F1][D4] after any edits of three users on two devices each, every viewer has exactly what it may see', {
  timeout: 120_000,
}, async () => {
  await holdsAsync(
    fc.asyncProperty(fc.array(operation, { minLength: 5, maxLength: 40 }), async operations => {
      const world = await serverWorld({ endsWithTest: false })
      try {
        await run(world, operations)
        expect(world.errors).toEqual([])
      } finally {
        await world.end()
      }
    }),
    100,
  )
})
