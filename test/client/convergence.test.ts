import { ContactSynchronizer, type Kith, type KithOptions } from '@kith/client'
import { type Fields, mergeLevels } from '@kith/shared'
import { IDBFactory } from 'fake-indexeddb'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Backend, backend } from '../support/backend.ts'
import { sharedByTabs } from '../support/channels.ts'
import { first } from '../support/devices.ts'
import { holdsAsync } from '../support/properties.ts'

/** The kind of thing of which a user has two: devices with separate storages, or tabs of one device. */
type Kind = 'devices' | 'tabs'

const users = ['alice', 'bob', 'carol'] as const
const devicesPerUser = 2
/** Far longer than a history takes. A history that waits for ever must be recognisable by its steps. */
const historyMs = 60_000

type Step =
  | { type: 'set'; device: number; name: string; value: number; level: number }
  | { type: 'unset'; device: number; name: string; level: number }
  | { type: 'sync'; device: number; whom: number; levels: number[] | null; isSubscribed: boolean }
  | { type: 'block'; device: number; whom: number; isBlocked: boolean }
  | { type: 'remove' | 'look'; device: number; whom: number }
  | { type: 'audience'; device: number; audience: 'everyone' | 'contacts' | 'nobody' }
  | { type: 'leave' | 'come' | 'restart' | 'settle'; device: number }

const device = fc.nat(users.length * devicesPerUser - 1)
const whom = fc.nat(users.length - 2)
const level = fc.constantFrom(0, 1, 2)
const name = fc.constantFrom('name', 'mood')
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ type: fc.constant('set' as const), device, name, value: fc.nat(999), level }),
  fc.record({ type: fc.constant('unset' as const), device, name, level }),
  fc.record({
    type: fc.constant('sync' as const),
    device,
    whom,
    levels: fc.option(fc.subarray([0, 1, 2])),
    isSubscribed: fc.boolean(),
  }),
  fc.record({ type: fc.constant('block' as const), device, whom, isBlocked: fc.boolean() }),
  fc.record({ type: fc.constantFrom('remove' as const, 'look' as const), device, whom }),
  fc.record({
    type: fc.constant('audience' as const),
    device,
    audience: fc.constantFrom('everyone' as const, 'contacts' as const, 'nobody' as const),
  }),
  fc.record({
    type: fc.constantFrom('leave' as const, 'come' as const, 'restart' as const, 'settle' as const),
    device,
  }),
)

test('[R1][V3][V7] after any edits and disconnections, each device has its user’s state and sees what it may', async () => {
  await expectConvergence('devices')
}, 600_000)

test('[R1][V3][V7] after any edits in several tabs, each tab has its user’s state and sees what it may', async () => {
  await expectConvergence('tabs')
}, 600_000)

async function expectConvergence(kind: Kind): Promise<void> {
  const runs = Number(process.env['KITH_TEST_RUNS'] ?? 10)
  const histories = fc.array(step, { minLength: 5, maxLength: 40 })
  await holdsAsync(
    fc.asyncProperty(histories, steps => toItsEnd(steps, done => play(kind, steps, done))),
    runs,
  )
}

async function play(kind: Kind, steps: readonly Step[], done: (step: string) => void): Promise<void> {
  const world = await backend()
  const devices = await Devices.open(world, kind)
  for (const next of steps) {
    await devices.do(next)
    done(JSON.stringify(next))
  }
  await devices.settle()
  done('settle')
  await devices.expectAgreement(world)
  await devices.close()
  await world.close()
}

/**
 * Rejects when a history takes too long, and lists the steps so far immediately: shrinking a history that hangs takes very
 * long.
 */
async function toItsEnd(steps: readonly Step[], play: (done: (step: string) => void) => Promise<void>): Promise<void> {
  const did: string[] = []
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      const told = `it hangs after ${did.length} of ${steps.length} steps:\n${did.join('\n')}\nthen ${JSON.stringify(steps[did.length])}`
      console.error(told)
      reject(new Error(told))
    }, historyMs)
  })
  try {
    await Promise.race([play(step => void did.push(step)), late])
  } finally {
    clearTimeout(timer)
  }
}

class Devices {
  readonly #world: Backend
  readonly #storage: Partial<KithOptions>[]
  readonly #all: Kith[] = []

  private constructor(world: Backend, kind: Kind) {
    this.#world = world
    const perUser = kind === 'tabs' ? users.map(() => ({ indexedDB: new IDBFactory(), ...sharedByTabs() })) : []
    this.#storage = Array.from(
      { length: users.length * devicesPerUser },
      (_, index) => perUser[Math.floor(index / devicesPerUser)] ?? { indexedDB: new IDBFactory() },
    )
  }

  static async open(world: Backend, kind: Kind): Promise<Devices> {
    const devices = new Devices(world, kind)
    for (const index of devices.#storage.keys()) devices.#all.push(await devices.#open(index))
    await devices.settle()
    return devices
  }

  async do(step: Step): Promise<void> {
    const kith = this.#at(step.device)
    switch (step.type) {
      case 'set':
        return kith.ownProfile.set(step.name, step.value, { level: step.level })
      case 'unset':
        return kith.ownProfile.unset(step.name, { level: step.level })
      case 'sync': {
        const syncer = new ContactSynchronizer(kith)
        syncer.setProfileAccessLevels(step.levels)
        syncer.subscribe(step.isSubscribed)
        await syncer.sync([this.#other(step)])
        return
      }
      case 'block': {
        const profile = kith.getProfile(this.#other(step))
        profile.block(step.isBlocked)
        return profile.save()
      }
      case 'remove':
        return kith.getProfile(this.#other(step)).remove()
      case 'look':
        kith.getProfile(this.#other(step))
        return
      case 'audience':
        return kith.setPublicAudience(step.audience)
      case 'leave':
        return kith.disconnect()
      case 'come':
        return kith.connect()
      case 'restart':
        await kith.close()
        this.#all[step.device] = await this.#open(step.device)
        return
      case 'settle':
        kith.connect()
        await kith.whenSynced()
    }
  }

  /** All devices reconnect, and every change has reached every device. */
  async settle(): Promise<void> {
    for (const kith of this.#all) kith.connect()
    for (let round = 0; round < 2; round++) for (const kith of this.#all) await kith.whenSynced()
  }

  async expectAgreement(world: Backend): Promise<void> {
    for (const [index, user] of users.entries()) {
      const [one, two] = this.#all.slice(index * devicesPerUser) as [Kith, Kith]
      expect(two.ownProfile.fields).toEqual(one.ownProfile.fields)
      expect(two.publicAudience).toBe(one.publicAudience)
      expect((await first(two.contacts())).map(withoutFeed)).toEqual((await first(one.contacts())).map(withoutFeed))
      expect([one.unsent, two.unsent]).toEqual([0, 0])
      for (const viewer of users) if (viewer !== user) await this.#expectView(world, one, viewer)
    }
  }

  /** Viewers who follow see exactly what the owner's fields and the server's rule define. */
  async #expectView(world: Backend, owner: Kith, viewer: string): Promise<void> {
    const { body } = await world.admin('GET', `/v1/visibility?owner=${owner.user}&viewer=${viewer}`)
    const { levels } = body as { levels: number[] }
    const visible = new Map([...owner.ownProfile.fields].filter(([level]) => levels.includes(level)))
    for (const kith of this.#all.filter(({ user }) => user === viewer)) {
      const row = (await first(kith.contacts())).find(({ id }) => id === owner.user)
      const seen: Fields = row?.fields ?? {}
      if (row?.isSubscribed) expect(seen).toEqual(mergeLevels(visible))
      else if (levels.length === 0) expect(seen).toEqual({})
    }
  }

  async close(): Promise<void> {
    for (const kith of this.#all) await kith.close()
  }

  #open(index: number): Promise<Kith> {
    const user = users[Math.floor(index / devicesPerUser)] as string
    return this.#world.open(user, this.#storage[index] as Partial<KithOptions>)
  }

  #at(index: number): Kith {
    return this.#all[index] as Kith
  }

  #other({ device, whom }: { device: number; whom: number }): string {
    const { user } = this.#at(device)
    return users.filter(other => other !== user)[whom] as string
  }
}

/** The roster's facts about a contact, without the feed's, which depend on what each device looked at. */
function withoutFeed<T extends { fields: unknown; hasJoined: boolean; isWaiting: boolean }>(row: T): Partial<T> {
  const { fields: _fields, hasJoined: _hasJoined, isWaiting: _isWaiting, ...facts } = row
  return facts as Partial<T>
}
