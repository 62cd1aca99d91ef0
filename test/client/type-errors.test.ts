import { ContactSynchronizer, type Kith, openKith, type Profile } from '@kith/client'
import { importAccount } from '@kith/client/account'
import { planImport, readContacts } from '@kith/client/import'
import { sqlite } from '@kith/client/sqlite'
import { expect, test } from 'vitest'
import { installation } from '../support/devices.ts'

/** The objects on which the wrong calls are made. */
interface Given {
  kith: Kith
  bob: Profile
  open(options: object): Promise<unknown>
}

const half = '\ud800'
const sparse: number[] = []
sparse[1] = 5
test.each<[message: string, call: (given: Given) => unknown]>([
  ['options must be an object, not undefined', () => openKith(undefined as never)],
  ['url must be an address that begins with ws:// or wss://, not "http://x"', ({ open }) => open({ url: 'http://x' })],
  ['token must be a string or a function that returns one, and its type is number', ({ open }) => open({ token: 7 })],
  ['connect must be true or false, not "no"', ({ open }) => open({ connect: 'no' })],
  ['databaseName must be a string that is not empty, not ""', ({ open }) => open({ databaseName: '' })],
  [
    'storage must be that of sqlite(folder), as in @kith/client/sqlite, not "data"',
    ({ open }) => open({ storage: 'data' }),
  ],
  ['levels must be an object, not null', ({ open }) => open({ levels: null })],
  ['levels.family must be an integer from 0 to 255, not "2"', ({ open }) => open({ levels: { family: '2' } })],
  [
    'id must be a user id, a text of 1 to 128 bytes without control characters, not ""',
    ({ kith }) => kith.getProfile(''),
  ],
  [
    'id must be a user id, a text of 1 to 128 bytes without control characters, not 7',
    ({ kith }) => kith.viewAs(7 as never),
  ],
  ['isSubscribed must be true or false, not undefined', ({ bob }) => bob.subscribe(undefined as never)],
  ['levels[1] must be an integer from 0 to 255, not 256', ({ bob }) => bob.setProfileAccessLevels([1, 256])],
  ['levels must be an array of levels, or null, not 2', ({ bob }) => bob.setProfileAccessLevels(2 as never)],
  ['levels[0] must be an integer from 0 to 255, not undefined', ({ bob }) => bob.setProfileAccessLevels(sparse)],
  [
    'levels[0] must be an integer from 0 to 255, not undefined',
    ({ kith }) => new ContactSynchronizer(kith).setProfileAccessLevels(sparse),
  ],
  ['label must be a string, not undefined', ({ bob }) => bob.setLabel(undefined as never)],
  ['label must be a string, not 7', ({ bob }) => bob.setLabel(7 as never)],
  ['label must be a well-formed string, without half a surrogate pair, not "\\ud800"', ({ bob }) => bob.setLabel(half)],
  ['isBlocked must be true or false, not 1', ({ bob }) => bob.block(1 as never)],
  ['name must be a string, not undefined', ({ bob }) => bob.get(undefined as never)],
  ['name must be a string that is not empty, not ""', ({ kith }) => kith.ownProfile.set('', 1)],
  [
    'value must be a string, a finite number, a boolean or a Uint8Array, not [1, 2]',
    ({ kith }) => kith.ownProfile.set('x', [1, 2] as never),
  ],
  [
    'value must be a string, a finite number, a boolean or a Uint8Array, not NaN',
    ({ kith }) => kith.ownProfile.set('x', NaN),
  ],
  ['level must be an integer from 0 to 255, not -1', ({ kith }) => kith.ownProfile.unset('x', { level: -1 })],
  [
    'level must be an integer from 0 to 255, not undefined',
    ({ kith }) => kith.ownProfile.set('x', 1, { level: undefined as never }),
  ],
  [
    'level must be an integer from 0 to 255, not null',
    ({ kith }) => kith.ownProfile.set('x', 1, { level: null as never }),
  ],
  ['options.lvel must be absent, not 2', ({ kith }) => kith.ownProfile.set('x', 1, { lvel: 2 } as never)],
  ['options must be an object, not null', ({ kith }) => kith.ownProfile.set('x', 1, null as never)],
  ['options must be an object, not 2', ({ kith }) => kith.ownProfile.get('x', 2 as never)],
  [
    "audience must be 'everyone', 'contacts' or 'nobody', not \"all\"",
    ({ kith }) => kith.setPublicAudience('all' as never),
  ],
  ['isOn must be true or false, not "yes"', ({ kith }) => kith.enableAutoSyncContacts('yes' as never)],
  ['isHidden must be true or false, not null', ({ kith }) => kith.setHidePresence(null as never)],
  ['text must be a string that is not empty, not ""', ({ kith }) => kith.send('bob', '')],
  [
    'to must be a user id, a text of 1 to 128 bytes without control characters, not ".."',
    ({ kith }) => kith.send('..', 'x'),
  ],
  ['force must be true or false, not "yes"', ({ kith }) => kith.erase({ force: 'yes' as never })],
  [
    'event must be one of profile, joined, withdrawn, changedHands, message, status, error, not "toString"',
    ({ kith }) => kith.on('toString' as never, () => undefined),
  ],
  ['listener must be a function, not an object (Object)', ({ kith }) => kith.on('status', {} as never)],
  ['ids[1] must be a string, not 7', ({ kith }) => kith.removeContacts(['bob', 7 as never])],
  ['filter must be an object, not "bob"', ({ kith }) => kith.getContacts('bob' as never)],
  ['filter.isBlocked must be true or false, not 1', ({ kith }) => kith.getContacts({ isBlocked: 1 as never })],
  ['filter.isSubscibed must be absent, not true', ({ kith }) => kith.getContacts({ isSubscibed: true } as never)],
  ['filter.level must be an integer from 0 to 255, not 300', ({ kith }) => kith.contacts({ level: 300 })],
  ['filter.query must be a string, not null', ({ kith }) => kith.getContacts({ query: null as never })],
  ['kith must be the result of openKith, not an object (Object)', () => new ContactSynchronizer({} as never)],
  [
    'onProgress must be a function, not true',
    ({ kith }) => new ContactSynchronizer(kith, { onProgress: true as never }),
  ],
  [
    'phoneNumbers must be true or an object with a region such as { region: \'GB\' }, not "gb"',
    ({ kith }) => new ContactSynchronizer(kith, { phoneNumbers: { region: 'gb' } }),
  ],
  [
    'phoneNumbers.region must be the code of a country, not "XX"',
    ({ kith }) => new ContactSynchronizer(kith, { phoneNumbers: { region: 'XX' } }).sync(['1']),
  ],
  [
    'addresses must be an array of strings, not "bob"',
    ({ kith }) => new ContactSynchronizer(kith).sync('bob' as never),
  ],
  ['addresses[0] must be a string, not null', ({ kith }) => new ContactSynchronizer(kith).sync([null as never])],
  ['syncNow must be true or false, not 0', ({ kith }) => new ContactSynchronizer(kith).sync([], 0 as never)],
  ['source must be a Blob, a Uint8Array or a ReadableStream of bytes, not "x"', () => readContacts('x' as never)],
  ["format must be 'vcard' or 'csv', not \"ldif\"", () => readContacts(new Blob([]), { format: 'ldif' as never })],
  ['signal must be an AbortSignal, not an object (Object)', () => readContacts(new Blob([]), { signal: {} as never })],
  ['source must be a string, not undefined', ({ kith }) => planImport(kith, [], {} as never)],
  [
    'fromUser must be a user id, a text of 1 to 128 bytes without control characters, not ""',
    ({ kith }) => importAccount(kith, '', { fromUser: '' }),
  ],
  ['folder must be a path, as in sqlite("./data"), not ""', () => sqlite('')],
])('a wrong argument is a TypeError that names it, what is wanted and what was given: %s', async (message, call) => {
  const kith = await installation('alice').open()
  const open = (options: object): Promise<unknown> => openKith({ url: 'ws://127.0.0.1:9', token: 'none', ...options })
  const bob = kith.getProfile('bob')
  await bob.loaded
  const { unsent } = kith
  const calling = async (): Promise<unknown> => call({ kith, bob, open })
  await expect(calling()).rejects.toThrow(new TypeError(message))
  expect(kith.unsent).toBe(unsent)
})

test('a TypeError shows the beginning of a long value, and never a token', async () => {
  const kith = await installation('alice').open()
  expect(() => kith.getProfile('x'.repeat(1000))).toThrow(/not "x{59}…"$/)
  await expect(openKith({ url: 'ws://x', token: { secret: 'secret' } as never })).rejects.toThrow(/^(?!.*secret)/)
})
