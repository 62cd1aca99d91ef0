import { profileKey } from '@kith/shared'
import { expect, test } from 'vitest'
import * as Y from 'yjs'
import { replica, teller } from './support/told-frames.ts'

const nothing = Uint8Array.of(0, 0)
const field = (...of: Parameters<typeof profileKey>): string => `fields:${profileKey(...of)}`
const block = (nonce: string, user: string): string => `blocks:${nonce}/${user}`

/** Returns the sentences about updates of the roster, one after another, without the device's name. */
function rosterWords() {
  const told = teller()
  return (direction: 'sent' | 'received', payload: Uint8Array): string => {
    return told[direction]({ type: 'rosterSync', step: 'update', payload }).text.replace(
      /^Alice’s phone (sent|got) /,
      '',
    )
  }
}

test('every kind of roster change is described', () => {
  const words = rosterWords()
  const { edit } = replica()
  const sent = (...changes: Parameters<typeof edit>): string => words('sent', edit(...changes))
  expect(sent(['contacts:bob', true], ['grants:5/bob', true], ['grants:1/bob', true], ['grants:2/carol', true])).toBe(
    '1 contact (Bob), 3 grants (levels 1 and 5 to Bob, level 2 to Carol)',
  )
  expect(sent(['contacts:bob', undefined], ['grants:5/bob', undefined])).toBe(
    'the withdrawal of 1 grant (level 5 from Bob), the removal of 1 contact (Bob)',
  )
  expect(sent(['subscriptions:bob', true], ['labels:bob', 'Bob from work'])).toBe(
    '1 follow (Bob), 1 label (Bob: “Bob from work”)',
  )
  expect(sent(['labels:bob', 'Bobby'])).toBe('1 label (Bob: “Bobby”)')
  expect(sent(['subscriptions:bob', undefined], ['declined:bob', true], ['labels:bob', undefined])).toBe(
    'the end of 1 follow (Bob), 1 declined user (Bob), the removal of 1 label (Bob)',
  )
  expect(sent(['declined:bob', undefined])).toBe('the removal of 1 declined user (Bob)')
  expect(sent([block('aaaaaaaa', 'bob'), true])).toBe('1 block (Bob)')
  expect(sent([block('aaaaaaaa', 'bob'), undefined])).toBe('the removal of 1 block (Bob)')
  expect(sent(['privacy:aaaaaaaa/contactsOnly', true])).toBe('audience: contacts only')
  expect(sent(['privacy:bbbbbbbb/nobody', true])).toBe('audience: nobody')
  expect(sent(['privacy:aaaaaaaa/contactsOnly', undefined])).toBe('audience: a wider one, though nobody stands')
  expect(sent(['privacy:cccccccc/contactsOnly', true])).toBe('audience: contacts only, though nobody stands')
  expect(sent(['privacy:bbbbbbbb/nobody', undefined], ['privacy:cccccccc/contactsOnly', undefined])).toBe(
    'audience: everyone',
  )
  expect(sent(['settings:autoSync', false])).toBe('automatic following: off')
  expect(sent(['settings:autoSync', true])).toBe('automatic following: on')
  expect(sent(['privacy:aaaaaaaa/messagesContactsOnly', true])).toBe('messages from: contacts only')
  expect(sent(['privacy:aaaaaaaa/messagesContactsOnly', undefined])).toBe('messages from: everyone')
  expect(sent(['privacy:aaaaaaaa/hidePresence', true])).toBe('presence: hidden')
  expect(sent(['privacy:aaaaaaaa/hidePresence', undefined])).toBe('presence: shown')
})

test('a block that survives the lifting of another block is described', () => {
  const words = rosterWords()
  const phone = replica()
  const laptop = replica()
  words('sent', phone.edit([block('aaaaaaaa', 'bob'), true]))
  expect(words('received', laptop.edit([block('bbbbbbbb', 'bob'), true]))).toBe(
    '1 block (Bob) from another of Alice’s devices',
  )
  expect(words('sent', phone.edit([block('aaaaaaaa', 'bob'), undefined]))).toBe(
    'the removal of 1 block (Bob, against whom another block stands)',
  )
})

test('changes that were known are not described again', () => {
  const words = rosterWords()
  const { edit } = replica()
  const update = edit(['contacts:bob', true])
  words('sent', update)
  expect(words('sent', update)).toBe('nothing new of Alice’s roster')
  const same = replica().edit(['contacts:bob', true])
  expect(words('received', same)).toBe('nothing new from another of Alice’s devices')
})

test('a long list is shortened, and given in full as details', () => {
  const { edit } = replica()
  const payload = edit(
    ...['ann', 'ben', 'cid', 'dan', 'eve'].map(user => [`contacts:${user}`, true] as [string, boolean]),
  )
  expect(teller().sent({ type: 'rosterSync', step: 'update', payload })).toMatchObject({
    text: 'Alice’s phone sent 5 contacts (Ann, Ben, Cid, …)',
    detail: ['5 contacts:', 'Ann', 'Ben', 'Cid', 'Dan', 'Eve'],
  })
})

test('fields of the own profile are described by name and level, without the device that wrote them', () => {
  const told = teller()
  const { edit } = replica()
  const own = (payload: Uint8Array) => told.sent({ type: 'ownProfile', step: 'update', payload })
  const [mine, other] = ['aaaaaaaa', 'bbbbbbbb']
  const set = own(edit([field(0, mine, 'name'), 'Ada'], [field(5, mine, 'age'), 36]))
  expect(set).toMatchObject({
    text: 'Alice’s phone sent 2 fields (name at level 0, age at level 5)',
    detail: ['name at level 0: “Ada”', 'age at level 5: 36'],
  })
  const replaced = own(edit([field(0, mine, 'name'), undefined], [field(0, other, 'name'), 'Eve']))
  expect(replaced.text).toBe('Alice’s phone sent 1 field (name at level 0)')
  expect(own(edit([field(0, mine, 'name'), 'Bea'])).text).toBe('Alice’s phone sent nothing new of Alice’s own profile')
  const gone = own(edit([field(0, mine, 'name'), undefined], [field(0, other, 'name'), undefined]))
  expect(gone.text).toBe('Alice’s phone sent the removal of 1 field (name at level 0)')
})

test('the sync answers of both sides are distinguished from updates', () => {
  const told = teller()
  const { doc, edit } = replica()
  const ask = (payload: Uint8Array) => told.sent({ type: 'rosterSync', step: 'step1', payload }).text
  const answer = (payload: Uint8Array) => told.received({ type: 'rosterSync', step: 'step2', payload }).text
  ask(Uint8Array.of(0))
  expect(answer(nothing)).toBe('The server has nothing yet of Alice’s roster')
  const payload = edit(['contacts:bob', true])
  expect(told.sent({ type: 'rosterSync', step: 'step2', payload }).text).toBe(
    'Alice’s phone sent what the server lacked: 1 contact (Bob)',
  )
  expect(told.sent({ type: 'rosterSync', step: 'step2', payload: nothing }).text).toBe(
    'Alice’s phone has nothing of Alice’s roster that the server lacks',
  )
  told.reconnected()
  expect(ask(Y.encodeStateVector(doc))).toBe('Alice’s phone asks what it missed of Alice’s roster')
  expect(answer(edit(['contacts:carol', true]))).toBe('Alice’s phone caught up: 1 contact (Carol)')
  told.reconnected()
  ask(Y.encodeStateVector(doc))
  expect(answer(nothing)).toBe('Alice’s phone has missed nothing of Alice’s roster')
})

test('a device that was refused takes the server’s state, and loses what was refused', () => {
  const told = teller()
  const server = replica()
  const phone = replica()
  const first = server.edit(['contacts:bob', true])
  Y.applyUpdate(phone.doc, first)
  told.sent({ type: 'rosterSync', step: 'step1', payload: Uint8Array.of(0) })
  told.received({ type: 'rosterSync', step: 'step2', payload: first })
  told.sent({ type: 'rosterSync', step: 'update', payload: phone.edit(['labels:bob', 'too long']) })
  expect(told.sent({ type: 'rosterSync', step: 'step1', payload: Uint8Array.of(0) }).text).toBe(
    'Alice’s phone asks for all of Alice’s roster, to begin anew with what the server has',
  )
  expect(told.received({ type: 'rosterSync', step: 'step2', payload: first }).text).toBe(
    'Alice’s phone took the server’s state of Alice’s roster: the removal of 1 label (Bob)',
  )
})

test('a teller that begins in the middle reads new keys, and says how many others it can’t', () => {
  const words = rosterWords()
  const { edit } = replica()
  edit(['labels:bob', 'Bob'], ['contacts:bob', true])
  expect(words('sent', edit(['grants:5/bob', true]))).toBe('1 grant (level 5 to Bob)')
  expect(words('sent', edit(['labels:bob', 'Bobby']))).toBe('1 change (of what stood there before the telling began)')
  expect(words('sent', edit(['contacts:bob', undefined], ['contacts:eve', true]))).toBe(
    '1 contact (Eve), 1 change (of what stood there before the telling began)',
  )
  expect(words('sent', edit(['grants:5/bob', undefined]))).toBe('the withdrawal of 1 grant (level 5 from Bob)')
  const laptop = replica()
  const unseen = replica()
  Y.applyUpdate(laptop.doc, unseen.edit(['labels:eve', 'Eve']))
  laptop.edit()
  expect(words('received', laptop.edit(['labels:eve', 'Evie']))).toBe(
    '1 change (of what stood there before the telling began) from another of Alice’s devices',
  )
})
