import { ContactSynchronizer, type Kith } from '@kith/client'
import {
  audienceKey,
  contactKey,
  decodeFacts,
  devicesPerUser,
  encodeFacts,
  type Facts,
  fieldKey,
  noFacts,
  users,
} from './keys.ts'
import type { Edit, State } from './ledger.ts'
import type { Random } from './random.ts'

/** An edit, and its implementation on a device: one call of the client, which is one transaction on the device. */
export interface PlannedEdit extends Edit {
  make(kith: Kith): Promise<void>
}

const kinds = {
  set: 8,
  unset: 4,
  grant: 4,
  sync: 3,
  add: 2,
  withdraw: 2,
  remove: 2,
  block: 3,
  label: 3,
  follow: 3,
  audience: 1,
} as const

const levels: readonly number[] = [0, 1, 2]

/** Lengths of a field's value. Large values fill LevelDB's log, so that LevelDB begins another log and writes tables. */
export type Load = 'mixed' | 'large'

/** Returns the next edit of a device's own keys, whose current values are in `state`. Half of all kinds take something away. */
export function planEdit(random: Random, user: string, device: number, state: State, load: Load): PlannedEdit {
  const kind = load === 'large' && random.fraction() < 0.8 ? 'set' : random.weighted(kinds)
  if (kind === 'set' || kind === 'unset') return planField(random, device, kind, load)
  if (kind === 'audience' && device === 0) return planAudience(random)
  if (kind === 'sync' || kind === 'add') return planSync(random, device, kind, state)
  const id = random.pick([...peersOf(user, device), ...strangersOf(device)])
  return planContact(random, id, kind === 'audience' ? 'grant' : kind, decodeFacts(state.get(contactKey(id))))
}

/** Edits keys that all devices of a user write. The only promise for them is that they converge. */
export async function editShared(random: Random, kith: Kith): Promise<void> {
  const syncer = new ContactSynchronizer(kith)
  switch (random.below(3)) {
    case 0:
      return kith.ownProfile.set('shared', random.below(1000), { level: random.pick(levels) })
    case 1:
      return kith.ownProfile.unset('shared', { level: random.pick(levels) })
    default:
      syncer.setProfileAccessLevels(random.pick([[0], [1, 2], [], null]))
      await syncer.sync(['shared-friend'])
  }
}

/** Returns users about whom only this device writes to the roster. */
function peersOf(user: string, device: number): string[] {
  return users.filter(other => other !== user).filter((_, index) => index % devicesPerUser === device)
}

/** Returns ids that never register. */
function strangersOf(device: number): string[] {
  return Array.from({ length: 8 }, (_, index) => `device${device}-friend${index}`)
}

function planField(random: Random, device: number, kind: 'set' | 'unset', load: Load): PlannedEdit {
  const name = `device${device}-field${random.below(5)}`
  const level = random.pick(levels)
  const key = fieldKey(level, name)
  if (kind === 'unset') {
    const make = (kith: Kith): Promise<void> => kith.ownProfile.unset(name, { level })
    return { what: `unset ${key}`, changes: new Map([[key, undefined]]), make }
  }
  // All ten fields of a level together stay below its limit.
  const isLarge = load === 'large' || random.fraction() < 0.05
  const length = isLarge ? random.between(2_000, 6_000) : random.between(1, 60)
  const value = `${random.below(1e9)}`.padEnd(length, '.')
  return {
    what: `set ${key} to ${value.slice(0, 9)}`,
    changes: new Map([[key, JSON.stringify(value)]]),
    make: kith => kith.ownProfile.set(name, value, { level }),
  }
}

function planAudience(random: Random): PlannedEdit {
  const audience = random.pick(['everyone', 'everyone', 'contacts', 'nobody'] as const)
  return {
    what: `audience ${audience}`,
    changes: new Map([[audienceKey, audience === 'everyone' ? undefined : audience]]),
    make: kith => kith.setPublicAudience(audience),
  }
}

/** Several contacts in one transaction: all of it is on the disk, or none. */
function planSync(random: Random, device: number, kind: 'sync' | 'add', state: State): PlannedEdit {
  const ids = random.some(strangersOf(device))
  const granted = random.some(levels)
  const isSubscribed = random.fraction() < 0.5
  const changes = new Map<string, string | undefined>()
  for (const id of ids) {
    const facts = decodeFacts(state.get(contactKey(id)))
    const isFollowed = kind === 'sync' ? isSubscribed : facts.isSubscribed || isSubscribed
    const isDeclined = kind === 'sync' ? !isSubscribed : facts.isDeclined && !isSubscribed
    const merged = kind === 'sync' ? granted : levels.filter(one => granted.includes(one) || facts.levels.includes(one))
    changes.set(
      contactKey(id),
      encodeFacts({ ...facts, isContact: true, levels: merged, isSubscribed: isFollowed, isDeclined }),
    )
  }
  return {
    what: `${kind} ${ids.length} contacts`,
    changes,
    make: async kith => {
      const syncer = new ContactSynchronizer(kith)
      syncer.setProfileAccessLevels(granted)
      syncer.subscribe(isSubscribed)
      await (kind === 'sync' ? syncer.sync(ids) : syncer.syncAsUpdate(ids))
    },
  }
}

function planContact(
  random: Random,
  id: string,
  kind: 'grant' | 'withdraw' | 'remove' | 'block' | 'label' | 'follow',
  facts: Facts,
): PlannedEdit {
  const key = contactKey(id)
  const planned = (after: Facts, make: PlannedEdit['make']): PlannedEdit => ({
    what: `${kind} ${id}`,
    changes: new Map([[key, encodeFacts(after)]]),
    make,
  })
  const staged = (change: Partial<Facts>, stage: (profile: ReturnType<Kith['getProfile']>) => void): PlannedEdit =>
    planned({ ...facts, ...change }, async kith => {
      const profile = kith.getProfile(id)
      stage(profile)
      await profile.save()
    })
  switch (kind) {
    case 'grant': {
      const granted = random.some(levels)
      return staged({ isContact: true, levels: granted }, profile => profile.setProfileAccessLevels(granted))
    }
    case 'withdraw':
      return staged({ isContact: false, levels: [] }, profile => profile.setProfileAccessLevels(null))
    case 'remove':
      return planned({ ...noFacts, isDeclined: true, isBlocked: facts.isBlocked }, kith => kith.getProfile(id).remove())
    case 'block': {
      const isBlocked = !facts.isBlocked && random.fraction() < 0.7
      return staged({ isBlocked }, profile => profile.block(isBlocked))
    }
    case 'label': {
      const label = random.fraction() < 0.5 ? '' : `label ${random.below(1e6)}`
      return staged({ label }, profile => profile.setLabel(label))
    }
    case 'follow': {
      const isSubscribed = random.fraction() < 0.7
      return staged({ isSubscribed, isDeclined: !isSubscribed }, profile => profile.subscribe(isSubscribed))
    }
  }
}
