import { ContactSynchronizer, type Kith } from '@kith/client'
import {
  type ContactEdit,
  type FlatMaps,
  factsOf,
  type KeyChange,
  type NewNonce,
  planContact,
  planRemoval,
  planSync,
  planSyncAsUpdate,
} from '@kith/shared'

/** A change of one contact, as the library plans it and as an app makes it. */
export interface Operation {
  name: string
  /** The app's calls. */
  call: string
  plan(roster: FlatMaps, user: string, newNonce: NewNonce): KeyChange[]
  onDevice(kith: Kith, user: string): Promise<unknown>
}

const sync: Operation = {
  name: 'sync',
  call: '`syncer.setProfileAccessLevels([2])`, `syncer.subscribe(true)`, `syncer.sync([id])`',
  plan: (roster, user) => planSync(roster, [user], { levels: [2], isSubscribed: true }).changes,
  onDevice(kith, user) {
    const syncer = new ContactSynchronizer(kith)
    syncer.setProfileAccessLevels([2])
    syncer.subscribe(true)
    return syncer.sync([user])
  },
}

const syncAsUpdate: Operation = {
  name: 'syncAsUpdate',
  call: '`syncer.setProfileAccessLevels([3])`, `syncer.syncAsUpdate([id])`',
  plan: (roster, user) => planSyncAsUpdate(roster, [user], { levels: [3] }).changes,
  onDevice(kith, user) {
    const syncer = new ContactSynchronizer(kith)
    syncer.setProfileAccessLevels([3])
    return syncer.syncAsUpdate([user])
  },
}

export const grant2: Operation = levels('grant 2', '`setProfileAccessLevels` with 2 added, `save()`', seen => [
  ...seen,
  2,
])

const revoke1: Operation = without(1)
export const revoke2: Operation = without(2)

export const block: Operation = edit('block', '`block(true)`, `save()`', { isBlocked: true })
export const unblock: Operation = edit('unblock', '`block(false)`, `save()`', { isBlocked: false })

const remove: Operation = {
  name: 'remove',
  call: '`remove()`',
  plan: planRemoval,
  onDevice: (kith, user) => kith.getProfile(user).remove(),
}

export const operations: readonly Operation[] = [sync, syncAsUpdate, grant2, revoke1, block, unblock, remove]

/** The roster's facts about the contact when the two devices separate. */
export interface Start {
  name: string
  made: readonly Operation[]
}

const known = edit('', '', { levels: [1], isSubscribed: true })

export const starts: readonly Start[] = [
  { name: 'a stranger', made: [] },
  { name: 'a contact', made: [known] },
  { name: 'a blocked contact', made: [known, block] },
  { name: 'a removed contact', made: [known, remove] },
]

/** The changes that each device makes before they meet. */
export interface Pair {
  one: readonly Operation[]
  other: readonly Operation[]
}

/** All pairs of the changes, including each change with itself. */
export const pairs: readonly Pair[] = operations.flatMap((one, index) =>
  operations.slice(index).map(other => ({ one: [one], other: [other] })),
)

/** Made and undone on one device, and made on the other: Yjs may have to choose here. */
export const undone: readonly Pair[] = [
  { one: [grant2, revoke2], other: [grant2] },
  { one: [sync, remove], other: [sync] },
  { one: [block, unblock], other: [block] },
  { one: [unblock, block], other: [unblock] },
]

function without(level: number): Operation {
  const call = `\`setProfileAccessLevels\` with ${level} taken out, \`save()\``
  return levels(`revoke ${level}`, call, seen => seen.filter(one => one !== level))
}

/** The app reads the levels that this device shows, and saves others. */
function levels(name: string, call: string, next: (seen: readonly number[]) => number[]): Operation {
  return {
    name,
    call,
    plan: (roster, user, newNonce) =>
      planContact(roster, user, { levels: next(factsOf(roster, user).levels) }, newNonce),
    async onDevice(kith, user) {
      const profile = kith.getProfile(user)
      profile.setProfileAccessLevels(next(profile.accessLevels))
      await profile.save()
    },
  }
}

function edit(name: string, call: string, staged: ContactEdit): Operation {
  return {
    name,
    call,
    plan: (roster, user, newNonce) => planContact(roster, user, staged, newNonce),
    async onDevice(kith, user) {
      const profile = kith.getProfile(user)
      if (staged.levels !== undefined) profile.setProfileAccessLevels(staged.levels)
      if (staged.isSubscribed !== undefined) profile.subscribe(staged.isSubscribed)
      if (staged.isBlocked !== undefined) profile.block(staged.isBlocked)
      await profile.save()
    },
  }
}
