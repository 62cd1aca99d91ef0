import {
  type Audience,
  type ContactEdit,
  type ContactPreferences,
  contactFacts,
  type FieldValue,
  factsOf,
  flatMapsOf,
  grantKey,
  isNarrowing,
  type KeyChange,
  namedUsers,
  parseGrantKey,
  parseNonceKey,
  planAudience,
  planAutomaticFollow,
  planAutoSync,
  planContact,
  planMessageAudience,
  planPresence,
  planRemoval,
  planSync,
  planSyncAsUpdate,
  rosterRoots,
  rosterSettings,
  userOfKey,
} from '@kith/shared'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import * as Y from 'yjs'
import { holds } from '../support/properties.ts'
import { clientIds, contentOf, meet, meetAll, type Replica, receive, replica } from '../support/replicas.ts'

describe('[R1] replicas that hold the same updates are equal', () => {
  test('[R1] replicas converge for any order, duplicates and partitions of updates', () => {
    const story = fc.array(
      fc.oneof(
        { weight: 4, arbitrary: fc.record({ device: fc.nat(2), edit: edits() }) },
        { weight: 1, arbitrary: fc.record({ device: fc.nat(2), meets: fc.nat(2) }) },
      ),
      { maxLength: 30, size: 'max' },
    )
    holds(
      fc.property(clientIds(6), story, fc.array(fc.nat(), { minLength: 200, maxLength: 200 }), (ids, steps, picks) => {
        const all = ids.map(replica)
        const devices = all.slice(0, 3)
        const newNonce = nonces()
        for (const step of steps) {
          const device = devices[step.device] as Replica
          if ('meets' in step) meet(device, devices[step.meets] as Replica)
          else device.edit(plan(device, step.edit, newNonce))
        }
        const updates = devices.flatMap(device => device.updates)
        for (const reader of all.slice(3)) {
          // Applies some updates at random, possibly repeatedly, then each once more: pending updates must resolve, too.
          for (const pick of picks.splice(0, 60)) if (updates.length > 0) receive(reader, at(updates, pick))
          for (const update of shuffled(updates, picks)) receive(reader, update)
        }
        meetAll(devices)
        for (const each of all.slice(1)) expect(content(each)).toEqual(content(all[0] as Replica))
      }),
      80,
    )
  })

  test('[R1] bytes, and ids that are names of JavaScript properties, are preserved', () => {
    const [phone, tablet] = [replica(1), replica(2)]
    for (const user of ['__proto__', 'constructor', 'hasOwnProperty', 'a/b', '1/2/3']) {
      phone.edit(planSync(phone.maps, [user], { levels: [0, 7], isSubscribed: true }).changes)
      phone.edit(planContact(phone.maps, user, { label: '__proto__', isBlocked: true }, nonces()))
      meet(phone, tablet)
      const facts = { isContact: true, levels: [0, 7], isSubscribed: true, isDeclined: false, isBlocked: true }
      expect(factsOf(tablet.maps, user)).toEqual({ ...facts, confirmed: [] })
      expect(tablet.maps.get('labels', user)).toBe('__proto__')
      expect(namedUsers(tablet.maps)).toContain(user)
    }
  })
})

describe('[R2] concurrent changes of contacts add up', () => {
  test('[R2] two devices that sync one contact concurrently have the union of what either added and both kept', () => {
    const contact = fc.record({ before: someLevels(), here: someLevels(), there: someLevels() })
    const contacts = fc.array(contact, { minLength: 1, maxLength: 4 })
    holds(
      fc.property(clientIds(3), contacts, (ids, wishes) => {
        const [origin, phone, tablet] = ids.map(replica) as [Replica, Replica, Replica]
        wishes.forEach(({ before }, index) => {
          origin.edit(planSync(origin.maps, [`user${index}`], { levels: before }).changes)
        })
        meet(origin, phone)
        meet(origin, tablet)
        wishes.forEach(({ here, there }, index) => {
          phone.edit(planSync(phone.maps, [`user${index}`], { levels: here }).changes)
          tablet.edit(planSync(tablet.maps, [`user${index}`], { levels: there }).changes)
        })
        meetAll([origin, phone, tablet])
        wishes.forEach(({ before, here, there }, index) => {
          const [l, p, q] = [new Set(before), new Set(here), new Set(there)]
          const expected = allLevels.filter(
            level =>
              (p.has(level) && !l.has(level)) ||
              (q.has(level) && !l.has(level)) ||
              (l.has(level) && p.has(level) && q.has(level)),
          )
          for (const device of [origin, phone, tablet]) {
            const facts = factsOf(device.maps, `user${index}`)
            expect(facts.levels).toEqual(expected)
            expect(facts.isContact).toBe(true)
          }
        })
      }),
    )
  })

  test('[R2] two devices that add one new contact concurrently have the union', () => {
    holds(
      fc.property(clientIds(2), someLevels(), someLevels(), (ids, here, there) => {
        const [phone, tablet] = ids.map(replica) as [Replica, Replica]
        phone.edit(planSync(phone.maps, ['bob'], { levels: here }).changes)
        tablet.edit(planSync(tablet.maps, ['bob'], { levels: there }).changes)
        meet(phone, tablet)
        const either = allLevels.filter(level => here.includes(level) || there.includes(level))
        expect(factsOf(phone.maps, 'bob').levels).toEqual(either)
        expect(factsOf(tablet.maps, 'bob').levels).toEqual(either)
      }),
    )
  })

  test('[R2] a level that two devices add at once and one of them removes again is the same everywhere', () => {
    holds(
      fc.property(clientIds(2), ids => {
        const [phone, tablet] = ids.map(replica) as [Replica, Replica]
        phone.edit(planSync(phone.maps, ['bob'], { levels: [3] }).changes)
        tablet.edit(planSync(tablet.maps, ['bob'], { levels: [3] }).changes)
        tablet.edit(planSync(tablet.maps, ['bob'], { levels: [] }).changes)
        meet(phone, tablet)
        expect(content(tablet)).toEqual(content(phone))
      }),
      30,
    )
  })
})

describe('[R3] a write that changes nothing writes nothing', () => {
  test('[R3] an edit that is repeated at once makes no update', () => {
    holds(
      fc.property(
        clientIds(2),
        fc.array(edits(), { maxLength: 8 }),
        fc.array(edits(), { maxLength: 8 }),
        (ids, here, there) => {
          const [phone, tablet] = ids.map(replica) as [Replica, Replica]
          const newNonce = nonces()
          for (const edit of here) phone.edit(plan(phone, edit, newNonce))
          for (const edit of there) tablet.edit(plan(tablet, edit, newNonce))
          meet(phone, tablet)
          for (const edit of [...there, ...here]) {
            const changes = plan(phone, edit, newNonce)
            phone.edit(changes)
            const before = phone.updates.length
            expect(plan(phone, edit, newNonce)).toEqual([])
            phone.edit(changes)
            expect(phone.updates.length).toBe(before)
          }
        },
      ),
    )
  })

  test('[R3] an edit that changes nothing makes no update, also where two devices set it at once', () => {
    const [phone, tablet] = [replica(7), replica(5)]
    const newNonce = nonces()
    phone.edit(planAudience(phone.maps, 'contacts', newNonce))
    tablet.edit(planAudience(tablet.maps, 'nobody', newNonce))
    meet(phone, tablet)
    for (const device of [phone, tablet]) {
      expect(rosterSettings(device.maps).audience).toBe('nobody')
      expect(planAudience(device.maps, 'nobody', newNonce)).toEqual([])
    }
  })

  test('[R3] syncing the same phone book again counts all contacts as unchanged', () => {
    const phone = replica(1)
    const users = Array.from({ length: 100 }, (_, index) => `user${index}`)
    const preferences = { levels: [1, 2], isSubscribed: true }
    expect(counts(phone, users.slice(0, 60), preferences)).toEqual({ added: 60, updated: 0, unchanged: 0 })
    expect(counts(phone, [...users, ...users], preferences)).toEqual({ added: 40, updated: 0, unchanged: 60 })
    expect(counts(phone, users, preferences)).toEqual({ added: 0, updated: 0, unchanged: 100 })
    expect(counts(phone, users.slice(0, 5), { levels: [1] })).toEqual({ added: 0, updated: 5, unchanged: 0 })
    expect(phone.updates.length).toBe(3)
  })

  test('[R3] only users who become contacts count as added', () => {
    const phone = replica(1)
    expect(counts(phone, ['bob'], { levels: null, isSubscribed: true })).toEqual({ added: 0, updated: 1, unchanged: 0 })
    expect(counts(phone, ['bob'], { levels: null })).toEqual({ added: 0, updated: 0, unchanged: 1 })
    expect(counts(phone, ['bob'], {})).toEqual({ added: 1, updated: 0, unchanged: 0 })
  })

  test('[R3] a revocation beats a concurrent confirmation of what was already granted', () => {
    holds(
      fc.property(clientIds(2), someLevels(), fc.constantFrom(...allLevelsFrom(1)), (ids, others, level) => {
        const [phone, tablet] = ids.map(replica) as [Replica, Replica]
        const granted = [...new Set([...others, level])]
        phone.edit(planSync(phone.maps, ['bob'], { levels: granted, isSubscribed: true }).changes)
        meet(phone, tablet)
        phone.edit(planSync(phone.maps, ['bob'], { levels: granted.filter(each => each !== level) }).changes)
        tablet.edit(planSync(tablet.maps, ['bob'], { levels: granted, isSubscribed: true }).changes)
        tablet.edit(planSyncAsUpdate(tablet.maps, ['bob'], { levels: granted, isSubscribed: true }).changes)
        tablet.edit(planContact(tablet.maps, 'bob', { levels: granted, isSubscribed: true }, nonces()))
        meet(phone, tablet)
        expect(factsOf(phone.maps, 'bob').levels).not.toContain(level)
        expect(factsOf(tablet.maps, 'bob').levels).not.toContain(level)
      }),
      50,
    )
  })
})

describe('[R4] the private side of concurrent changes wins', () => {
  // The model does not know keys. An edit is an event that records which events its device had seen.
  interface Event<T> {
    value: T
    seen: ReadonlySet<Event<T>>
  }
  const script = <T>(values: fc.Arbitrary<T>) =>
    fc.array(
      fc.oneof(
        { weight: 3, arbitrary: fc.record({ device: fc.nat(3), value: values }) },
        { weight: 3, arbitrary: fc.record({ device: fc.nat(3), meets: fc.nat(3) }) },
      ),
      { maxLength: 40, size: 'max' },
    )

  test('[R4] a block survives every concurrent lifting that had not seen it, in any interleaving', () => {
    const isBlocked = (seen: ReadonlySet<Event<boolean>>): boolean => {
      const liftings = [...seen].filter(event => !event.value)
      return [...seen].some(event => event.value && !liftings.some(lifting => lifting.seen.has(event)))
    }
    holds(
      fc.property(clientIds(4), script(fc.boolean()), (ids, steps) => {
        const devices = ids.map(id => ({ replica: replica(id), seen: new Set<Event<boolean>>() }))
        const newNonce = nonces()
        for (const step of steps) {
          const device = at(devices, step.device)
          if ('meets' in step) {
            const other = at(devices, step.meets)
            meet(device.replica, other.replica)
            device.seen = new Set([...device.seen, ...other.seen])
            other.seen = new Set(device.seen)
          } else {
            const edit: ContactEdit = { isBlocked: step.value }
            // An edit that changes nothing is not an event [R3].
            if (isBlocked(device.seen) !== step.value) {
              device.seen.add({ value: step.value, seen: new Set(device.seen) })
            }
            device.replica.edit(planContact(device.replica.maps, 'bob', edit, newNonce))
          }
          expect(factsOf(device.replica.maps, 'bob').isBlocked).toBe(isBlocked(device.seen))
        }
        const everything = new Set(devices.flatMap(device => [...device.seen]))
        meetAll(devices.map(device => device.replica))
        for (const each of devices) expect(factsOf(each.replica.maps, 'bob').isBlocked).toBe(isBlocked(everything))
      }),
      150,
    )
  })

  test('[R4] a narrower audience survives every concurrent widening that had not seen it, in any interleaving', () => {
    const narrowness = { everyone: 0, contacts: 1, nobody: 2 }
    const audienceOf = (seen: ReadonlySet<Event<Audience>>): Audience => {
      const standing = [...seen].filter(
        event => ![...seen].some(other => other.seen.has(event) && narrowness[other.value] < narrowness[event.value]),
      )
      const narrowest = Math.max(0, ...standing.map(event => narrowness[event.value]))
      return (['everyone', 'contacts', 'nobody'] as const)[narrowest] as Audience
    }
    holds(
      fc.property(clientIds(4), script(fc.constantFrom<Audience>('everyone', 'contacts', 'nobody')), (ids, steps) => {
        const devices = ids.map(id => ({ replica: replica(id), seen: new Set<Event<Audience>>() }))
        const newNonce = nonces()
        for (const step of steps) {
          const device = at(devices, step.device)
          if ('meets' in step) {
            const other = at(devices, step.meets)
            meet(device.replica, other.replica)
            device.seen = new Set([...device.seen, ...other.seen])
            other.seen = new Set(device.seen)
          } else {
            if (audienceOf(device.seen) !== step.value) {
              device.seen.add({ value: step.value, seen: new Set(device.seen) })
            }
            device.replica.edit(planAudience(device.replica.maps, step.value, newNonce))
          }
          expect(rosterSettings(device.replica.maps).audience).toBe(audienceOf(device.seen))
        }
        const everything = new Set(devices.flatMap(device => [...device.seen]))
        meetAll(devices.map(device => device.replica))
        for (const each of devices) expect(rosterSettings(each.replica.maps).audience).toBe(audienceOf(everything))
      }),
      150,
    )
  })

  test('[R4] a concurrent audience `contacts` survives when a third device confirms `nobody` and a fourth widens to `everyone`', () => {
    const [phone, tablet, laptop, watch] = [4, 3, 2, 1].map(replica) as [Replica, Replica, Replica, Replica]
    const newNonce = nonces()
    phone.edit(planAudience(phone.maps, 'contacts', newNonce))
    tablet.edit(planAudience(tablet.maps, 'nobody', newNonce))
    meet(tablet, watch)
    meet(phone, tablet)
    meet(tablet, laptop)
    laptop.edit(planAudience(laptop.maps, 'nobody', newNonce))
    watch.edit(planAudience(watch.maps, 'everyone', newNonce))
    meetAll([phone, tablet, laptop, watch])
    expect(rosterSettings(watch.maps).audience).toBe('contacts')
  })

  test('[R4] the audience `contacts` survives a widening by a device that has seen the later `nobody` only', () => {
    const [phone, tablet, watch] = [3, 2, 1].map(replica) as [Replica, Replica, Replica]
    const newNonce = nonces()
    phone.edit(planAudience(phone.maps, 'contacts', newNonce))
    meet(phone, tablet)
    tablet.edit(planAudience(tablet.maps, 'nobody', newNonce))
    for (const update of tablet.updates) receive(watch, update)
    expect(rosterSettings(watch.maps).audience).toBe('nobody')
    watch.edit(planAudience(watch.maps, 'everyone', newNonce))
    meetAll([phone, tablet, watch])
    expect(rosterSettings(watch.maps).audience).toBe('contacts')
  })

  test('[R4] the audience `contacts`, chosen after `nobody`, survives a concurrent widening to `everyone`', () => {
    const [phone, tablet] = [replica(1), replica(2)]
    const newNonce = nonces()
    phone.edit(planAudience(phone.maps, 'contacts', newNonce))
    phone.edit(planAudience(phone.maps, 'nobody', newNonce))
    meet(phone, tablet)
    phone.edit(planAudience(phone.maps, 'contacts', newNonce))
    tablet.edit(planAudience(tablet.maps, 'everyone', newNonce))
    meet(phone, tablet)
    expect(rosterSettings(phone.maps).audience).toBe('contacts')
  })

  test('[R4] hiding presence survives a concurrent showing, and showing removes all hidings that the device has seen, and no audience', () => {
    const [phone, tablet] = [replica(1), replica(2)]
    const newNonce = nonces()
    phone.edit(planAudience(phone.maps, 'contacts', newNonce))
    phone.edit(planPresence(phone.maps, true, newNonce))
    tablet.edit(planPresence(tablet.maps, true, newNonce))
    meet(phone, tablet)
    tablet.edit(planPresence(tablet.maps, false, newNonce))
    expect(rosterSettings(tablet.maps)).toEqual({
      audience: 'contacts',
      autoSync: true,
      hidesPresence: false,
      messageAudience: 'everyone',
    })
    expect(planPresence(phone.maps, true, newNonce)).toEqual([])
    phone.edit([{ root: 'privacy', key: `${newNonce()}/hidePresence`, value: true }])
    meet(phone, tablet)
    expect([phone, tablet].map(({ maps }) => rosterSettings(maps).hidesPresence)).toEqual([true, true])
    phone.edit(planAudience(phone.maps, 'everyone', newNonce))
    expect(rosterSettings(phone.maps)).toEqual({
      audience: 'everyone',
      autoSync: true,
      hidesPresence: true,
      messageAudience: 'everyone',
    })
    expect(planPresence(replica(3).maps, true, newNonce).map(isNarrowing)).toEqual([true])
  })

  test('[R4] the narrower of two concurrent message audiences counts, and does not change who sees level 0', () => {
    const [phone, tablet] = [replica(1), replica(2)]
    const newNonce = nonces()
    phone.edit(planMessageAudience(phone.maps, 'contacts', newNonce))
    expect(planMessageAudience(phone.maps, 'contacts', newNonce)).toEqual([])
    tablet.edit(planMessageAudience(tablet.maps, 'nobody', newNonce))
    tablet.edit(planAudience(tablet.maps, 'contacts', newNonce))
    meet(phone, tablet)
    for (const { maps } of [phone, tablet]) {
      expect(rosterSettings(maps)).toMatchObject({ audience: 'contacts', messageAudience: 'nobody' })
    }
    // The phone's removal of the choice has not seen the tablet's second choice.
    tablet.edit([{ root: 'privacy', key: `${newNonce()}/messagesContactsOnly`, value: true }])
    phone.edit(planMessageAudience(phone.maps, 'everyone', newNonce))
    expect(rosterSettings(phone.maps)).toMatchObject({ audience: 'contacts', messageAudience: 'everyone' })
    meet(phone, tablet)
    for (const { maps } of [phone, tablet]) expect(rosterSettings(maps).messageAudience).toBe('contacts')
    expect(planMessageAudience(replica(3).maps, 'nobody', newNonce).map(isNarrowing)).toEqual([true])
  })

  test('[R4] of two concurrent hidings, showing removes the one that the device has seen, and the other stays', () => {
    for (const [one, other] of [
      [7, 5],
      [5, 7],
    ] as const) {
      const [phone, tablet] = [replica(one), replica(other)]
      const newNonce = nonces()
      for (const device of [phone, tablet]) device.edit(planPresence(device.maps, true, newNonce))
      phone.edit(planPresence(phone.maps, false, newNonce))
      meet(phone, tablet)
      for (const device of [phone, tablet]) expect(rosterSettings(device.maps).hidesPresence).toBe(true)
    }
  })

  test('[R4] a thousand changes of the audience leave a handful of keys', () => {
    const phone = replica(1)
    const newNonce = nonces()
    for (let turn = 0; turn < 1000; turn++) {
      const audience = (['contacts', 'nobody', 'contacts', 'everyone', 'nobody'] as const)[turn % 5] as Audience
      phone.edit(planAudience(phone.maps, audience, newNonce))
      phone.edit(planContact(phone.maps, 'bob', { isBlocked: turn % 2 === 0 }, newNonce))
    }
    expect([...phone.maps.entries('privacy')].length).toBeLessThan(4)
    expect([...phone.maps.entries('blocks')].length).toBeLessThan(2)
  })

  test('[R4] unblocking deletes every key that the device sees, and no privacy key of a later version', () => {
    const phone = replica(1)
    for (const nonce of ['aaaaaaaa', 'bbbbbbbb']) {
      for (const [root, name] of [
        ['blocks', 'bob'],
        ['blocks', 'bobby'],
        ['privacy', 'nobody'],
        ['privacy', 'friends'],
      ]) {
        phone.edit([{ root: root as string, key: `${nonce}/${name}`, value: true }])
      }
    }
    phone.edit(planContact(phone.maps, 'bob', { isBlocked: false }, nonces()))
    phone.edit(planAudience(phone.maps, 'everyone', nonces()))
    expect(contentOf(phone, ['blocks', 'privacy']).map(([, key]) => key)).toEqual([
      'aaaaaaaa/bobby',
      'bbbbbbbb/bobby',
      'aaaaaaaa/friends',
      'bbbbbbbb/friends',
    ])
  })
})

describe('[R5] sync changes only the contacts that it names', () => {
  const preferences = fc.record<ContactPreferences>(
    { levels: fc.option(someLevels()), isSubscribed: fc.boolean() },
    { requiredKeys: [] },
  )
  const start = fc.array(edits(), { maxLength: 12 })

  test('[R5] sync replaces levels and subscription of the contacts named, and nothing else', () => {
    holds(
      fc.property(start, fc.subarray(users), preferences, (before, named, wanted) => {
        const phone = replica(1)
        const newNonce = nonces()
        for (const edit of before) phone.edit(plan(phone, edit, newNonce))
        const old = content(phone)
        const oldFacts = contactFacts(phone.maps, users)
        phone.edit(planSync(phone.maps, named, wanted).changes)

        expect(contentOf(phone, ['labels', 'blocks', 'privacy', 'settings'])).toEqual(
          old.filter(([root]) => ['labels', 'blocks', 'privacy', 'settings'].includes(root)),
        )
        for (const user of users) {
          const [was, is] = [oldFacts.get(user), factsOf(phone.maps, user)]
          if (!named.includes(user)) expect(is).toEqual(was)
          else {
            expect(is.isContact).toBe(wanted.levels !== null)
            expect(is.levels).toEqual(wanted.levels === undefined ? was?.levels : sorted(wanted.levels ?? []))
            expect(is.isSubscribed).toBe(wanted.isSubscribed ?? was?.isSubscribed)
            expect(is.isDeclined).toBe(wanted.isSubscribed === undefined ? was?.isDeclined : !wanted.isSubscribed)
          }
        }
      }),
    )
  })

  test('[R5] syncAsUpdate only adds', () => {
    holds(
      fc.property(start, fc.subarray(users), preferences, (before, named, wanted) => {
        const phone = replica(1)
        const newNonce = nonces()
        for (const edit of before) phone.edit(plan(phone, edit, newNonce))
        const old = content(phone)
        const oldFacts = contactFacts(phone.maps, users)
        phone.edit(planSyncAsUpdate(phone.maps, named, wanted).changes)

        const now = new Set(content(phone).map(each => JSON.stringify(each)))
        const gone = old.filter(each => !now.has(JSON.stringify(each)))
        // A follow removes the refusal to follow. No other entry is ever removed.
        expect(gone.every(([root, key]) => root === 'declined' && wanted.isSubscribed && named.includes(key))).toBe(
          true,
        )
        for (const user of named) {
          const [was, is] = [oldFacts.get(user), factsOf(phone.maps, user)]
          expect(is.levels).toEqual(sorted([...(was?.levels ?? []), ...(wanted.levels ?? [])]))
          expect(is.isContact).toBe(was?.isContact || wanted.levels !== null)
          expect(is.isSubscribed).toBe(was?.isSubscribed || wanted.isSubscribed === true)
        }
        for (const user of users.filter(each => !named.includes(each))) {
          expect(factsOf(phone.maps, user)).toEqual(oldFacts.get(user))
        }
        expect(contentOf(phone, ['labels', 'blocks', 'privacy', 'settings'])).toEqual(
          old.filter(([root]) => ['labels', 'blocks', 'privacy', 'settings'].includes(root)),
        )
      }),
    )
  })
})

describe('one contact', () => {
  test('remove() deletes contact, label, grants and subscription, declines, and keeps a block', () => {
    const phone = replica(1)
    phone.edit(
      planContact(phone.maps, 'bob', { levels: [0, 255], label: 'B', isSubscribed: true, isBlocked: true }, nonces()),
    )
    phone.edit(planRemoval(phone.maps, 'bob'))
    expect(contentOf(phone, rosterRoots).map(([root]) => root)).toEqual(['declined', 'blocks'])
  })

  test('automatic following follows, grants nothing, and skips declined and blocked users', () => {
    const phone = replica(1)
    phone.edit(planAutomaticFollow(phone.maps, 'bob'))
    expect(contentOf(phone, rosterRoots)).toEqual([['subscriptions', 'bob', true]])
    phone.edit(planRemoval(phone.maps, 'bob'))
    expect(planAutomaticFollow(phone.maps, 'bob')).toEqual([])
    phone.edit(planContact(phone.maps, 'mallory', { isBlocked: true }, nonces()))
    expect(planAutomaticFollow(phone.maps, 'mallory')).toEqual([])
  })

  test('only what was staged is written', () => {
    const phone = replica(1)
    phone.edit(planContact(phone.maps, 'bob', { label: 'Bob' }, nonces()))
    expect(contentOf(phone, rosterRoots)).toEqual([['labels', 'bob', 'Bob']])
    phone.edit(planContact(phone.maps, 'bob', { label: '' }, nonces()))
    expect(contentOf(phone, rosterRoots)).toEqual([])
  })

  test('an empty list of levels keeps the contact, null withdraws it', () => {
    const phone = replica(1)
    phone.edit(planContact(phone.maps, 'bob', { levels: [1, 1, 0] }, nonces()))
    phone.edit(planContact(phone.maps, 'bob', { levels: [] }, nonces()))
    expect(contentOf(phone, rosterRoots)).toEqual([['contacts', 'bob', true]])
    phone.edit(planContact(phone.maps, 'bob', { levels: null }, nonces()))
    expect(contentOf(phone, rosterRoots)).toEqual([])
  })
})

describe('facts and keys', () => {
  test('facts about many users equal those about each, with ascending levels, in the order of the request', () => {
    const phone = replica(1)
    const many = Array.from({ length: 90 }, (_, index) => `user${index}`)
    many.forEach((user, index) => {
      phone.edit(
        planSync(phone.maps, [user], { levels: [255, index, 10, 9, 0], isSubscribed: index % 2 === 0 }).changes,
      )
    })
    const facts = contactFacts(phone.maps, [...many].reverse())
    expect([...facts.keys()]).toEqual([...many].reverse())
    for (const user of many) expect(facts.get(user)).toEqual(factsOf(phone.maps, user))
    expect(facts.get('user20')?.levels).toEqual([0, 9, 10, 20, 255])
  })

  test('keys of a form that no key has are passed over, and say nothing of anybody', () => {
    const doc = new Y.Doc()
    for (const root of ['grants', 'blocks', 'confirmed', 'privacy']) {
      for (const key of ['', 'bob', '/bob', '1', `short/bob`]) doc.getMap(root).set(key, true)
    }
    const roster = flatMapsOf(doc)
    const before = rosterSettings(flatMapsOf(new Y.Doc()))
    const many = Array.from({ length: 40 }, (_, index) => `user ${index}`)
    expect([...namedUsers(roster)]).toEqual([])
    expect(rosterSettings(roster)).toEqual(before)
    for (const users of [['bob'], ['bob', ...many]]) {
      expect(contactFacts(roster, users).get('bob')).toEqual(factsOf(flatMapsOf(new Y.Doc()), 'bob'))
    }
    doc.getMap('blocks').set('12345678/bob', true)
    expect(planContact(roster, 'bob', { isBlocked: false }, nonces())).toEqual([
      { root: 'blocks', key: '12345678/bob', value: undefined },
    ])
    const [hiding] = planPresence(roster, true, nonces()) as [KeyChange]
    doc.getMap('privacy').set(hiding.key, true)
    expect(planPresence(roster, false, nonces())).toEqual([{ ...hiding, value: undefined }])
  })

  test('a grant key is a plain decimal level and a user id, and nothing else', () => {
    expect(parseGrantKey(grantKey(255, 'a/b'))).toEqual({ level: 255, user: 'a/b' })
    for (const key of [
      '',
      '/',
      '1',
      '1/',
      '/bob',
      '01/bob',
      '256/bob',
      '-1/bob',
      '1.5/bob',
      '1e1/bob',
      '0x1/bob',
      ' 1/bob',
      '１/bob',
      'NaN/bob',
      '-0/bob',
      '1/ bob',
      '1/..',
      '__proto__/bob',
    ]) {
      expect(parseGrantKey(key), key).toBeUndefined()
      expect(userOfKey('grants', key), key).toBeUndefined()
    }
  })

  test('a nonce is 8 to 16 characters of base64url', () => {
    expect(parseNonceKey('__proto__/a/b\n')).toEqual({ nonce: '__proto__', name: 'a/b\n' })
    for (const key of [
      '',
      '1234567/bob',
      '12345678901234567/bob',
      '1234567=/bob',
      '12345678/',
      '12345678',
      '1234567\n/bob',
      '/12345678/bob',
    ]) {
      expect(parseNonceKey(key), key).toBeUndefined()
      expect(userOfKey('blocks', key), key).toBeUndefined()
    }
    expect(userOfKey('blocks', '12345678/bob')).toBe('bob')
    expect(userOfKey('privacy', '12345678/bob')).toBeUndefined()
  })

  test('removals, blocks, narrower privacy and declines are narrowing', () => {
    const change = (root: string, value: true | undefined): KeyChange => ({ root, key: 'x', value })
    for (const root of ['contacts', 'grants', 'subscriptions']) {
      expect([isNarrowing(change(root, undefined)), isNarrowing(change(root, true))]).toEqual([true, false])
    }
    for (const root of ['blocks', 'privacy', 'declined']) {
      expect([isNarrowing(change(root, undefined)), isNarrowing(change(root, true))]).toEqual([false, true])
    }
  })
})

const allLevels = [0, 1, 2, 3, 10, 255]
const users = ['alice', 'bob', '__proto__', 'a/b']

function allLevelsFrom(index: number): number[] {
  return allLevels.slice(index)
}

function someLevels(): fc.Arbitrary<number[]> {
  return fc.shuffledSubarray([0, 1, 2, 3, 10, 255])
}

type Edit =
  | { kind: 'sync' | 'syncAsUpdate'; users: string[]; preferences: ContactPreferences }
  | { kind: 'contact'; user: string; edit: ContactEdit }
  | { kind: 'remove' | 'follow'; user: string }
  | { kind: 'audience'; audience: Audience }
  | { kind: 'autoSync'; isOn: boolean }

function edits(): fc.Arbitrary<Edit> {
  const everyone = ['alice', 'bob', '__proto__', 'a/b']
  const user = fc.constantFrom(...everyone)
  const preferences = { levels: fc.option(someLevels()), isSubscribed: fc.boolean() }
  const settings = { ...preferences, label: fc.constantFrom('', 'friend', 'work'), isBlocked: fc.boolean() }
  return fc.oneof(
    fc.record({
      kind: fc.constantFrom('sync' as const, 'syncAsUpdate' as const),
      users: fc.subarray(everyone),
      preferences: fc.record(preferences, { requiredKeys: [] }),
    }),
    fc.record({ kind: fc.constant('contact' as const), user, edit: fc.record(settings, { requiredKeys: [] }) }),
    fc.record({ kind: fc.constantFrom('remove' as const, 'follow' as const), user }),
    fc.record({
      kind: fc.constant('audience' as const),
      audience: fc.constantFrom<Audience>('everyone', 'contacts', 'nobody'),
    }),
    fc.record({ kind: fc.constant('autoSync' as const), isOn: fc.boolean() }),
  )
}

function plan({ maps }: Replica, edit: Edit, newNonce: () => string): KeyChange[] {
  switch (edit.kind) {
    case 'sync':
      return planSync(maps, edit.users, edit.preferences).changes
    case 'syncAsUpdate':
      return planSyncAsUpdate(maps, edit.users, edit.preferences).changes
    case 'contact':
      return planContact(maps, edit.user, edit.edit, newNonce)
    case 'remove':
      return planRemoval(maps, edit.user)
    case 'follow':
      return planAutomaticFollow(maps, edit.user)
    case 'audience':
      return planAudience(maps, edit.audience, newNonce)
    case 'autoSync':
      return planAutoSync(maps, edit.isOn)
  }
}

function counts(device: Replica, named: readonly string[], preferences: ContactPreferences): object {
  const { changes, ...found } = planSync(device.maps, named, preferences)
  device.edit(changes)
  return found
}

function content(device: Replica): [string, string, FieldValue][] {
  return contentOf(device, rosterRoots)
}

function nonces(): () => string {
  let last = 0
  return () => `nonce${String(++last).padStart(6, '0')}`
}

function at<T>(list: readonly T[], pick: number): T {
  return list[pick % list.length] as T
}

function sorted(levels: readonly number[]): number[] {
  return [...new Set(levels)].sort((a, b) => a - b)
}

function shuffled<T>(list: readonly T[], picks: number[]): T[] {
  const left = [...list]
  const order: T[] = []
  while (left.length > 0) order.push(...left.splice((picks.pop() ?? 0) % left.length, 1))
  return order
}

test.each(['contacts', 'labels', 'subscriptions', 'declined'] as const)(
  '[S2] a key of %s names a user only if it is a user id',
  root => {
    for (const key of ['', '.', '..', ' bob', 'bob ', 'b\u0000b', 'x'.repeat(129)]) {
      expect(userOfKey(root, key), JSON.stringify(key)).toBeUndefined()
    }
    for (const key of ['bob', '+441632960001', 'x'.repeat(128)]) expect(userOfKey(root, key)).toBe(key)
  },
)
