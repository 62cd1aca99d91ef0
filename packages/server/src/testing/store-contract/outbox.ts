import { EventRoom } from '../../relations/event-room.ts'
import type { OutboxEvent, StoredEvent } from '../../relations/outbox.ts'
import type { Store } from '../../relations/store.ts'
import { same } from './assertions.ts'
import { profileChange, registered, rosterChange, undelivered, userChange } from './changes.ts'
import type { Contract } from './contract.ts'

const room = ({ mostEvents = 1_000, includesText = false } = {}): EventRoom =>
  new EventRoom({ mostEvents, includesText })

/** Type and data of each event that waits, oldest first. */
async function waiting(store: Store): Promise<[OutboxEvent['type'], OutboxEvent['data']][]> {
  const events = await store.outbox.waiting(undefined, 1_000)
  return events.map(({ event }) => [event.type, event.data])
}

export function outbox({ test, open }: Contract): void {
  test('[D4] a store without room for events writes none', async () => {
    const { store } = await open()
    await store.commit(userChange('bob'))
    await store.commit(rosterChange('alice', { bob: { levels: [2] } }))
    await store.commit(await undelivered(store))
    await store.commit({ type: 'erase', user: 'alice' })
    same(await store.outbox.count(), { all: 0, dead: 0 })
    await store.close()
  })

  test('[D4] registration, grants, withdrawals and undelivered messages are events, in the order of their commits', async () => {
    const { store, clock } = await open({}, room())
    const { lines } = await store.commit(rosterChange('alice', { bob: { isContact: true, levels: [2, 5] } }))
    same([...lines], ['alice'])
    await store.commit(userChange('bob'))
    await store.commit(profileChange('alice', { 2: 'Ada' }))
    await store.commit(rosterChange('alice', { bob: { isContact: true, levels: [5] } }))
    await store.commit(await undelivered(store))
    await store.commit(rosterChange('bob', { alice: { isBlocked: true } }))
    same(await waiting(store), [
      ['user.registered', { user: 'alice' }],
      ['contact.granted', { owner: 'alice', viewer: 'bob', levels: [2, 5] }],
      ['user.registered', { user: 'bob' }],
      ['access.withdrawn', { owner: 'alice', viewer: 'bob', levels: [2] }],
      ['message.undelivered', { sender: 'alice', recipient: 'bob', id: 'm1' }],
      ['access.withdrawn', { owner: 'alice', viewer: 'bob', levels: [0, 5] }],
      ['access.withdrawn', { owner: 'bob', viewer: 'alice', levels: [0] }],
    ])
    const [first] = await store.outbox.waiting(undefined, 1)
    same(first?.event.atMs, clock.now())
    await store.close()
  })

  test('[V10] a message that may not reach the recipient is a commit, and no event', async () => {
    const { store } = await open({}, room())
    await registered(store, 'alice', 'bob')
    const before = store.position
    const { position } = await store.commit(await undelivered(store, { isAllowed: false }))
    same(position > before, true)
    same(await waiting(store), [])
    await store.close()
  })

  test('[D7] a message to or from an account that was erased since is no event, even if the id is registered again', async () => {
    for (const user of ['alice', 'bob']) {
      const { store } = await open({}, room({ includesText: true }))
      await registered(store, 'alice', 'bob')
      const message = await undelivered(store)
      await store.commit({ type: 'erase', user })
      await store.commit(message)
      await store.commit(userChange(user))
      await store.commit(message)
      same(
        (await waiting(store)).map(([type]) => type),
        ['user.erased', 'user.registered'],
      )
      await store.commit(await undelivered(store))
      same((await waiting(store)).at(-1)?.[0], 'message.undelivered')
      await store.close()
    }
  })

  test('a message that may no longer reach the recipient is no event', async () => {
    const { store } = await open({}, room())
    await registered(store, 'alice', 'bob', 'carol')
    const message = await undelivered(store)
    const toCarol = await undelivered(store, { to: 'carol', widest: 'contacts' })
    await store.commit(rosterChange('carol', { alice: { isContact: true } }))
    await store.commit(toCarol)
    await store.commit(rosterChange('carol', { alice: {} }))
    await store.commit({ ...toCarol, id: 'm2' })
    await store.commit(userChange('alice', { restricted: true }))
    await store.commit(message)
    await store.commit(userChange('alice', { restricted: false }))
    await store.commit(rosterChange('alice', { bob: { isBlocked: true } }))
    await store.commit(message)
    await store.commit(rosterChange('alice', { bob: {} }))
    await store.commit(rosterChange('bob', {}, { messageAudience: 'nobody' }))
    await store.commit(message)
    same(
      (await waiting(store)).filter(([type]) => type === 'message.undelivered'),
      [['message.undelivered', { sender: 'alice', recipient: 'carol', id: 'm1' }]],
    )
    await store.close()
  })

  test('the text of a message is in its event only where the operator wants it', async () => {
    const { store } = await open({}, room({ includesText: true }))
    await registered(store, 'alice', 'bob')
    await store.commit(await undelivered(store))
    same(await waiting(store), [
      ['message.undelivered', { sender: 'alice', recipient: 'bob', id: 'm1', text: 'hello' }],
    ])
    await store.close()
  })

  test("[D4] a user's events are found one after the other, until they are removed", async () => {
    const { store } = await open({}, room())
    await registered(store, 'alice', 'bob', 'carol')
    for (const id of ['m1', 'm2', 'm3']) await store.commit(await undelivered(store, { id }))
    await store.commit(await undelivered(store, { to: 'carol', id: 'm4' }))
    const first = (await store.outbox.next('bob')) as StoredEvent
    const second = (await store.outbox.next('bob', first.name)) as StoredEvent
    same([first.event.data['id'], second.event.data['id']], ['m1', 'm2'])
    same(await store.outbox.find(second.name), second)
    await store.commit({ type: 'events', removed: [first.name, second.name] })
    await store.commit({ type: 'events', removed: [first.name] })
    same((await store.outbox.next('bob'))?.event.data['id'], 'm3')
    same(await store.outbox.find(second.name), undefined)
    same(await store.outbox.count(), { all: 2, dead: 0 })
    same(await store.outbox.next('nobody'), undefined)
    await store.close()
  })

  test('[D4] a dead letter waits no more, and waits again where it was once it is revived', async () => {
    const { store, clock } = await open({}, room())
    await registered(store, 'alice', 'bob')
    for (const id of ['m1', 'm2']) await store.commit(await undelivered(store, { id }))
    const { name } = (await store.outbox.next('bob')) as StoredEvent
    await store.commit({ type: 'events', dead: [{ name, reason: 'status 400' }] })
    const [dead] = await store.outbox.dead(undefined, 10)
    same([dead?.event.data['id'], dead?.event.failed], ['m1', { atMs: clock.now(), reason: 'status 400' }])
    same((await store.outbox.next('bob'))?.event.data['id'], 'm2')
    same((await waiting(store)).length, 1)
    same(await store.outbox.count(), { all: 2, dead: 1 })
    same(await store.outbox.dead(name, 10), [])
    const { lines } = await store.commit({ type: 'events', revived: [name] })
    same([...lines], ['bob'])
    same((await store.outbox.next('bob'))?.event.data['id'], 'm1')
    same(await store.outbox.count(), { all: 2, dead: 0 })
    await store.close()
  })

  test('[D7] of an erased account the outbox holds nothing but that it was erased: no event that is about it, no dead letter', async () => {
    const { store } = await open({}, room({ includesText: true }))
    await store.commit(rosterChange('alice', { bob: { isContact: true, levels: [2] }, carol: { levels: [1] } }))
    await store.commit(rosterChange('bob', { alice: { isContact: true, levels: [7] } }))
    await registered(store, 'carol')
    await store.commit(await undelivered(store))
    await store.commit(await undelivered(store, { from: 'bob', to: 'carol', id: 'm2' }))
    const { name } = (await store.outbox.next('bob')) as StoredEvent
    await store.commit({ type: 'events', dead: [{ name, reason: 'status 400' }] })
    await store.commit({ type: 'erase', user: 'bob' })
    same(await waiting(store), [
      ['contact.granted', { owner: 'alice', viewer: 'carol', levels: [1] }],
      ['user.erased', { user: 'bob' }],
    ])
    same(await store.outbox.count(), { all: 2, dead: 0 })
    // A node that was delivering it does not restore it.
    await store.commit({ type: 'events', dead: [{ name, reason: 'late' }], revived: [name] })
    same(await store.outbox.count(), { all: 2, dead: 0 })
    await store.close()
  })

  test('beyond its bound the outbox takes no events, and says once a minute that some are missing', async () => {
    const events = room({ mostEvents: 2 })
    const { store, clock } = await open({}, events)
    for (let id = 0; id < 5; id++) await store.commit(userChange(`user ${id}`))
    clock.move(60_000)
    await store.commit(userChange('user 5'))
    const missed = ['events.missed', {}] as const
    const told = await waiting(store)
    same(told.slice(2), [missed, missed])
    same(
      told.slice(0, 2).map(([, { user }]) => user),
      ['user 0', 'user 1'],
    )
    same(events.missed, 4)
    await store.close()
  })

  test('[S3] one user fills no more than half of the outbox, and is counted anew once few events wait', async () => {
    const events = room({ mostEvents: 10 })
    const { store } = await open({}, events)
    await registered(store, 'alice', 'bob', 'carol', 'mallory')
    events.noteCount(0)
    const send = async (from: string, count: number): Promise<number> => {
      const { all } = await store.outbox.count()
      for (let id = 0; id < count; id++) await store.commit(await undelivered(store, { from, id: `${from} ${id}` }))
      return (await store.outbox.count()).all - all
    }
    same(await send('mallory', 7), 6) // Five, and one that says that some are missing.
    same(events.missed, 2)
    same(await send('alice', 7), 3)
    same(await send('carol', 1), 1)
    events.noteCount(0)
    same(await send('mallory', 5), 5)
    await store.close()
  })

  test('a claim on the delivery excludes no other holder once it is released', async () => {
    const { store } = await open({}, room())
    same(await store.outbox.claim('11111111-1111-4111-8111-111111111111', 60_000), true)
    same(await store.outbox.claim('11111111-1111-4111-8111-111111111111', 60_000), true)
    await store.outbox.release('11111111-1111-4111-8111-111111111111')
    same(await store.outbox.claim('22222222-2222-4222-8222-222222222222', 60_000), true)
    await store.close()
  })
}
