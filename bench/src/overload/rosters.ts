import { grantKey, type KeyChange } from '@kith/shared'
import * as Y from 'yjs'
import { type Attack, memoryOfLargeRoster, memoryOfLargeRosters, type Target, within } from './attack.ts'
import { AttackRoster, AttackSocket, install } from './attack-socket.ts'

/** Attacks with the size of one user's roster. */

/** Returns ids as long as phone numbers. */
export function ids(prefix: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${prefix}${String(index).padStart(8, '0')}`)
}

function contactsWithGrants(users: readonly string[], levels: readonly number[], isFollowed: boolean): KeyChange[] {
  return users.flatMap(user => [
    { root: 'contacts', key: user, value: true },
    ...levels.map(level => ({ root: 'grants', key: grantKey(level, user), value: true })),
    ...(isFollowed ? [{ root: 'subscriptions', key: user, value: true }] : []),
  ])
}

function setting(roster: AttackRoster, isOn: boolean): Uint8Array {
  return roster.change([{ root: 'settings', key: 'autoSync', value: isOn }])
}

/** Less than the total time of an attack. On a busy machine, seven large rosters need more than a minute. */
const mostWriteMs = 140_000
/** The time limit for a device that returns to 50,000 relations. */
const mostReturnMs = 30_000
/** No further return begins after this time. */
const mostReturnsMs = 100_000

/** Sends the updates one after another, each when the one before it is on disk. */
async function writeEach(socket: AttackSocket, updates: readonly Uint8Array[]): Promise<string> {
  for (const [index, payload] of updates.entries()) {
    socket.send({ type: 'rosterSync', step: 'update', payload })
    const answer = await socket.barrier(index + 10, mostWriteMs)
    if (answer !== 'reached') return `${answer} after ${index}`
  }
  return `${updates.length} written`
}

export const waitingFollows: Attack = {
  name: '20 fetches of waiting follows, 60,000 follows',
  memory: memoryOfLargeRosters,
  async prepare(target) {
    const roster = new AttackRoster()
    const owners = ids('+1555', 60_000)
    await install(target, 'mallory', roster.change(owners.map(key => ({ root: 'subscriptions', key, value: true }))))
    return owners
  },
  async run(target, state) {
    const owners = state as string[]
    const socket = await AttackSocket.open(target, 'mallory', {})
    await within(
      60_000,
      socket.until(({ type }) => type === 'caughtUp'),
    )
    for (const owner of owners.slice(-20)) socket.send({ type: 'fetch', owner })
    const answer = await socket.barrier(1, 60_000)
    socket.close()
    return { text: answer, isRight: answer !== 'late' }
  },
}

export const switchesOfOne: Attack = {
  name: 'a 3.8 MB roster, autoSync switched 3 times',
  memory: memoryOfLargeRoster,
  async prepare(target) {
    const roster = new AttackRoster()
    await install(target, 'mallory', roster.change(contactsWithGrants(ids('+1555', 27_000), [1, 2, 3], true)))
    return [false, true, false].map(isOn => setting(roster, isOn))
  },
  async run(target, state) {
    const socket = await AttackSocket.open(target, 'mallory', {})
    const text = await writeEach(socket, state as Uint8Array[])
    socket.close()
    return { text, isRight: text.endsWith('written') }
  },
}

/** Fills a roster to its maximum size: contacts with three grants and a follow, and then labels. */
export function largeRoster(roster: AttackRoster): Uint8Array {
  const contacts = ids('+1555', 50_000)
  const labels = contacts.slice(0, 16_000).map(key => ({ root: 'labels', key, value: 'x'.repeat(16) }))
  return roster.change([...contactsWithGrants(contacts, [1, 2, 3], true), ...labels])
}

export const switchesOfSeven: Attack = {
  name: '7 rosters of 7.7 MB, autoSync switched once each',
  memory: memoryOfLargeRosters,
  async prepare(target) {
    const roster = new AttackRoster()
    const whole = largeRoster(roster)
    const users = ids('mallory', 7)
    for (const user of users) await install(target, user, whole)
    return { users, update: setting(roster, false) }
  },
  async run(target, state) {
    const { users, update } = state as { users: string[]; update: Uint8Array }
    const answers = await Promise.all(
      users.map(async user => {
        const socket = await AttackSocket.open(target, user, {})
        const text = await writeEach(socket, [update])
        socket.close()
        return text
      }),
    )
    const others = answers.filter(text => !text.endsWith('written'))
    const text = [`${answers.length - others.length} of 7 written`, ...others].join(', ')
    return { text, isRight: others.length === 0 }
  },
}

export const oneSync: Attack = {
  name: 'one sync of 40,000 contacts with 3 grants each',
  memory: memoryOfLargeRosters,
  async prepare() {
    return new AttackRoster().change(contactsWithGrants(ids('+1555', 40_000), [1, 2, 3], false))
  },
  async run(target, state) {
    const socket = await AttackSocket.open(target, 'mallory', {})
    socket.send({ type: 'rosterSync', step: 'step2', payload: state as Uint8Array })
    const answer = await socket.barrier(1, 60_000)
    socket.close()
    return { text: answer === 'reached' ? 'written' : answer, isRight: answer === 'reached' }
  },
}

export const syncToAnother: Attack = {
  name: 'one sync of 40,000 contacts with 3 grants each, which another device of the user gets',
  memory: memoryOfLargeRosters,
  async prepare() {
    return new AttackRoster().change(contactsWithGrants(ids('+1555', 40_000), [1, 2, 3], false))
  },
  async run(target, state) {
    const [socket, other] = await Promise.all([
      AttackSocket.open(target, 'mallory', {}),
      AttackSocket.open(target, 'mallory', {}),
    ])
    other.send({ type: 'rosterSync', step: 'step1', payload: Y.encodeStateVector(new Y.Doc()) })
    await other.barrier(1)
    const gets = other.until(message => message.type === 'rosterSync' && message.step === 'update')
    socket.send({ type: 'rosterSync', step: 'step2', payload: state as Uint8Array })
    const answer = await socket.barrier(1, 60_000)
    const got = await within(10_000, gets)
    const isRight = answer === 'reached' && typeof got === 'object'
    for (const one of [socket, other]) one.close()
    return { text: isRight ? 'written, and relayed' : `${answer}, ${typeof got}`, isRight }
  },
}

export const audience: Attack = {
  name: 'a 7.7 MB roster, the audience switched 3 times, one label edited 20 times',
  memory: memoryOfLargeRosters,
  async prepare(target) {
    const roster = new AttackRoster()
    await install(target, 'mallory', largeRoster(roster))
    return [
      roster.change([{ root: 'privacy', key: 'nonce-0001/nobody', value: true }]),
      roster.change([{ root: 'privacy', key: 'nonce-0002/contactsOnly', value: true }]),
      roster.change([{ root: 'privacy', key: 'nonce-0001/nobody', value: undefined }]),
      ...ids('label', 20).map(value => roster.change([{ root: 'labels', key: '+155500000001', value }])),
    ]
  },
  async run(target, state) {
    const socket = await AttackSocket.open(target, 'mallory', {})
    const text = await writeEach(socket, state as Uint8Array[])
    socket.close()
    return { text, isRight: text.endsWith('written') }
  },
}

export const erasure: Attack = {
  name: 'a 7.7 MB roster, its account erased by the backend',
  memory: memoryOfLargeRosters,
  async prepare(target) {
    await install(target, 'mallory', largeRoster(new AttackRoster()))
    return undefined
  },
  async run(target: Target) {
    const answer = await within(60_000, target.erase('mallory'))
    return { text: String(answer), isRight: answer === 204 }
  },
}

export const exporting: Attack = {
  name: 'a 7.7 MB roster, its account exported by the backend',
  memory: memoryOfLargeRosters,
  async prepare(target) {
    await install(target, 'mallory', largeRoster(new AttackRoster()))
    return undefined
  },
  async run(target) {
    const answer = await within(60_000, target.exported('mallory'))
    return { text: String(answer), isRight: answer === 200 }
  },
}

export const returns: Attack = {
  name: 'a 7.7 MB roster, 30 returns with an empty cursor',
  memory: memoryOfLargeRosters,
  async prepare(target) {
    await install(target, 'mallory', largeRoster(new AttackRoster()))
    return undefined
  },
  async run(target) {
    const failures: string[] = []
    const isOver = within(mostReturnsMs, new Promise<never>(() => undefined))
    let rounds = 0
    for (let goesOn = true; goesOn && rounds < 30; rounds++) {
      const socket = await AttackSocket.open(target, 'mallory', {})
      const answer = await within(
        mostReturnMs,
        socket.until(({ type }) => type === 'caughtUp'),
      )
      if (typeof answer === 'string') failures.push(answer)
      socket.close()
      goesOn = (await Promise.race([isOver, undefined])) === undefined
    }
    const text = [`${rounds - failures.length} of ${rounds} caught up`, ...failures].join(', ')
    return { text, isRight: failures.length === 0 }
  },
}
