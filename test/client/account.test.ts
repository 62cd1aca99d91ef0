import { readFile } from 'node:fs/promises'
import { ContactSynchronizer, type Kith, KithError } from '@kith/client'
import { type AccountFile, exportAccount, importAccount } from '@kith/client/account'
import { expect, test, vi } from 'vitest'
import { backend } from '../support/backend.ts'
import { coreOf } from '../support/client-internals.ts'
import { installation } from '../support/devices.ts'
import { emissions } from '../support/emissions.ts'

test('an account that moves to another server has there all that its user said, and a second import changes nothing [R3]', async () => {
  const [old, next] = [await backend(), await backend()]
  const alice = await old.device('alice')
  await fill(alice)
  await alice.whenSynced()
  const file = await exportAccount(alice)

  const moved = await next.device('alice')
  expect(await importAccount(moved, file)).toEqual({ contacts: 5, fields: 6, kept: 0, changedHands: [] })
  await moved.whenSynced()
  const bob = await next.device('bob')
  expect(await bob.getProfile('alice').loaded).toBeUndefined()
  await expect.poll(() => bob.getProfile('alice').get('phone')).toBe('+441632960001')

  const again = await next.device('alice') // Another device: all of it came by the server.
  await again.whenSynced()
  expect(withoutTime(await exportAccount(again))).toEqual(withoutTime(file))
  expect(await importAccount(again, file)).toEqual({ contacts: 0, fields: 0, kept: 0, changedHands: [] })
  expect(again.unsent).toBe(0)
})

test('the export of the HTTP API is the file that the client makes, and an import brings all of it to another server', async () => {
  const [old, next] = [await backend(), await backend()]
  const alice = await old.device('alice')
  await fill(alice)
  await alice.whenSynced()
  const { status, body } = await old.admin('GET', '/v1/users/alice/export')
  expect(status).toBe(200)
  const file = JSON.stringify(body)
  expect(withoutTime(file)).toEqual(withoutTime(await exportAccount(alice)))

  const moved = await next.device('alice')
  expect(await importAccount(moved, file)).toEqual({ contacts: 5, fields: 6, kept: 0, changedHands: [] })
  await moved.whenSynced()
  const { body: there } = await next.admin('GET', '/v1/users/alice/export')
  expect(withoutTime(JSON.stringify(there))).toEqual(withoutTime(file))
})

test('the file of an account is the documented JSON, and holds nothing that other users show', async () => {
  const world = await backend()
  const bob = await world.device('bob')
  await bob.ownProfile.set('name', 'Secret of Bob')
  await bob.whenSynced()
  const alice = await world.device('alice')
  await fill(alice)
  await alice.whenSynced()
  await expect.poll(() => alice.getProfile('bob').get('name')).toBe('Secret of Bob')
  const text = await exportAccount(alice)
  expect(text).not.toContain('Secret of Bob')
  expect(JSON.parse(text)).toEqual({
    format: 'kith-account',
    version: 1,
    user: 'alice',
    exportedAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
    profile: [
      { level: 0, fields: { age: 36, isHere: true, name: 'Ada' } },
      { level: 2, fields: { phone: '+441632960001', photo: { base64: 'AAH/' }, zero: { number: '-0' } } },
    ],
    contacts: [
      { id: 'bob', label: 'Bob', isContact: true, levels: [1, 2], isSubscribed: true },
      { id: 'carol', isContact: true },
      { id: 'dave', isBlocked: true },
      { id: 'erin', isDeclined: true },
      { id: 'frank', label: 'F' },
    ],
    settings: { autoSync: false },
    privacy: ['contactsOnly', 'hidePresence', 'messagesNobody'],
  })
})

test('[R4] an import changes nothing that the account has, and the narrower privacy applies', async () => {
  const old = await installation('alice').open()
  await fill(old)
  const file = await exportAccount(old)
  const kith = await installation('alice').open()
  await kith.ownProfile.set('name', 'Grace')
  await kith.setPublicAudience('nobody')
  await kith.enableAutoSyncContacts(false)
  await kith.enableAutoSyncContacts(true)
  await kith.getProfile('bob').setLabel('Bobby').subscribe(false).setProfileAccessLevels([7]).save()
  await kith.getProfile('erin').subscribe(true).save()
  expect(await importAccount(kith, new Blob([file]))).toMatchObject({ fields: 5, kept: 2 })
  expect(kith.ownProfile.get('name')).toBe('Grace')
  expect([kith.publicAudience, kith.messageAudience, kith.isAutoSyncEnabled]).toEqual(['nobody', 'nobody', true])
  const [bob, erin] = [kith.getProfile('bob'), kith.getProfile('erin')]
  expect([bob.label, bob.isSubscribed, bob.accessLevels]).toEqual(['Bobby', false, [1, 2, 7]])
  expect(erin.isSubscribed).toBe(true)
})

test('[D7] grants to an id that changed hands are not given to whoever has the id on the next server', async () => {
  const old = await installation('alice').open()
  await new ContactSynchronizer(old).subscribe(true).setProfileAccessLevels([3]).sync(['bob'])
  await old.getProfile('bob').setLabel('Bob').save()
  const { store } = coreOf(old)
  await store.work(async work => {
    await work.people.load(['bob'])
    work.people.setHands(work.documents.roster.view, 'bob', 'another')
  })
  expect(old.getProfile('bob').hasChangedHands).toBe(true)
  const file = await exportAccount(old)
  const kith = await installation('alice').open()
  expect(await importAccount(kith, file)).toEqual({ contacts: 1, fields: 0, kept: 0, changedHands: ['bob'] })
  expect(await kith.getContacts()).toEqual([])
  expect(coreOf(kith).store.documents.roster.view.get('labels', 'bob')).toBe('Bob')
})

test('the file of another user is refused unless fromUser names them', async () => {
  const file = await exportAccount(await installation('alice').open())
  const kith = await installation('+441632960001').open()
  await expect(importAccount(kith, file)).rejects.toMatchObject({ code: 'wrong-user' })
  await expect(importAccount(kith, file, { fromUser: 'bob' })).rejects.toMatchObject({ code: 'wrong-user' })
  expect(await importAccount(kith, file, { fromUser: 'alice' })).toMatchObject({ contacts: 0 })
})

const whole = { format: 'kith-account', version: 1, user: 'alice', exportedAt: '' }
const lists = { profile: [], contacts: [], settings: {}, privacy: [] }
test.each<[what: string, file: unknown, message: string]>([
  ['text that is no JSON', 'BEGIN:VCARD', 'The file is not JSON: choose a file that exportAccount made'],
  ['a list', '[]', 'The file must be an object, and is []: nothing was imported'],
  ['JSON of something else', { a: 1 }, "format must be 'kith-account', and is absent: nothing was imported"],
  ['a later version', { ...whole, ...lists, version: 2 }, 'version must be 1, the one that this version of Kith reads'],
  ['no user', { ...whole, ...lists, user: ' ' }, 'user must be a user id, and is " "'],
  ['a property that is not known', { ...whole, ...lists, groups: [] }, 'groups is unknown in the file of an account'],
  ['a missing list', { ...whole, ...lists, contacts: undefined }, 'contacts must be a list, and is absent'],
  ['a level that is none', { ...whole, ...lists, profile: [{ level: 256, fields: {} }] }, 'profile[0].level must be'],
  [
    'a level twice',
    { ...whole, ...lists, profile: [0, 0].map(level => ({ level, fields: {} })) },
    'profile[1].level must be a level that the file has not had before, and is 0',
  ],
  [
    'a field that is null',
    withField(null),
    'profile[0].fields["x"] must be a string, a number, true, false, { base64 }',
  ],
  ['bytes that are no base64', withField({ base64: 'a' }), 'profile[0].fields["x"] must be'],
  ['a number by another name', withField({ number: '1' }), 'profile[0].fields["x"] must be'],
  ['half a surrogate pair', withField('\ud800'), 'profile[0].fields["x"] must be'],
  ['an id that is none', withContact({ id: 'a\u0000' }), 'contacts[0].id must be a user id'],
  ['a contact twice', { ...whole, ...lists, contacts: [{ id: 'bob' }, { id: 'bob' }] }, 'contacts[1].id must be an id'],
  ['a level of a contact', withContact({ id: 'bob', levels: [1, '2'] }), 'contacts[0].levels[1] must be an integer'],
  ['a flag', withContact({ id: 'bob', isBlocked: 1 }), 'contacts[0].isBlocked must be true or false, and is 1'],
  ['a misspelt flag', withContact({ id: 'bob', isblocked: true }), 'contacts[0].isblocked is unknown'],
  ['a label', withContact({ id: 'bob', label: '' }), 'contacts[0].label must be'],
  ['a setting', { ...whole, ...lists, settings: { autoSync: null } }, 'settings["autoSync"] must be'],
  ['bytes as a setting', { ...whole, ...lists, settings: { x: { base64: '' } } }, 'settings["x"] must be a string, a'],
  [
    'a name of a setting that is too long',
    { ...whole, ...lists, settings: { ['n'.repeat(65)]: 1 } },
    `settings["${'n'.repeat(58)}…] must be a string of at most 64 bytes, and is "${'n'.repeat(58)}…: nothing was`,
  ],
  [
    'a text of a setting that is too long',
    { ...whole, ...lists, settings: { x: 'ü'.repeat(129) } },
    'settings["x"] must be a string of at most 256 bytes',
  ],
  [
    'a name of a privacy setting that is too long',
    { ...whole, ...lists, privacy: ['ü'.repeat(33)] },
    'privacy[0] must be a string of at most 64 bytes',
  ],
  ['a privacy setting', { ...whole, ...lists, privacy: [7] }, 'privacy[0] must be'],
])('an import of %s is malformed, says where, and writes nothing', async (_what, file, message) => {
  const kith = await installation('alice').open()
  const importing = importAccount(kith, typeof file === 'string' ? file : JSON.stringify(file))
  const error = await importing.catch((error: unknown) => error)
  expect(error).toBeInstanceOf(KithError)
  expect((error as KithError).code).toBe('malformed')
  expect((error as KithError).message).toContain(message)
  expect(kith.unsent).toBe(0)
})

test('the export of an account with an empty label and unusual numbers from a stock provider can be imported', async () => {
  const kith = await installation('alice').open()
  const settings = { a: Number.NaN, b: -0, c: Infinity, d: 'ü'.repeat(128), ['n'.repeat(64)]: true }
  await coreOf(kith).editRoster(() => [
    { root: 'labels', key: 'bob', value: '' },
    { root: 'contacts', key: 'carol', value: true },
    { root: 'labels', key: 'carol', value: '' },
    ...Object.entries(settings).map(([key, value]) => ({ root: 'settings', key, value })),
  ])
  const file = await exportAccount(kith)
  expect((JSON.parse(file) as AccountFile).settings).toMatchObject({ a: { number: 'NaN' }, b: { number: '-0' } })
  const other = await installation('alice').open()
  expect(await importAccount(other, file)).toMatchObject({ contacts: 1 })
  const { view } = coreOf(other).store.documents.roster
  expect(Object.fromEntries(view.entries('settings'))).toEqual(settings)
  expect(view.get('labels', 'carol')).toBeUndefined()
})

test('[D5] an import beyond a limit of the profile writes nothing of the roster either', async () => {
  const kith = await installation('alice').open()
  const statuses = emissions(kith.liveSyncStatus())
  const profile = [{ level: 0, fields: { name: 'x'.repeat(70_000) } }]
  const file = { ...whole, ...lists, profile, contacts: [{ id: 'bob', isContact: true }] }
  await expect(importAccount(kith, JSON.stringify(file))).rejects.toMatchObject({ code: 'profile-too-large' })
  expect(await kith.getContacts()).toEqual([])
  expect(statuses.at(-1)?.unsent ?? 0).toBe(0)
  await expect(importAccount({} as never, '')).rejects.toThrow('kith must be the result of openKith, not an object')
  await expect(importAccount(kith, 7 as never)).rejects.toThrow('file must be the text of a file, or a Blob, not 7')
  await kith.close()
  await expect(exportAccount(kith)).rejects.toMatchObject({ code: 'closed' })
})

test('the example of the guide moves an account', async () => {
  const [kith, moved] = [await installation('ada').open(), await installation('ada').open()]
  await kith.ownProfile.set('name', 'Ada')
  await kith.getProfile('bob').setLabel('Bob').save()
  vi.spyOn(kith, 'whenSynced').mockResolvedValue()
  const guide = await readFile(new URL('../../docs/guides/account.md', import.meta.url), 'utf8')
  const [, code = ''] = /```ts\n(.+?)```/s.exec(guide) ?? []
  const AsyncFunction = Object.getPrototypeOf(async () => undefined).constructor
  const names = ['kith', 'moved', 'exportAccount', 'importAccount', 'signal', 'console']
  const log = vi.fn()
  const run = new AsyncFunction(...names, code.replace(/^import .*$/gm, ''))
  await run(kith, moved, exportAccount, importAccount, undefined, { log })
  expect(log.mock.calls).toEqual([[{ contacts: 1, fields: 1, kept: 0, changedHands: [] }]])
  expect(moved.getProfile('bob').label).toBe('Bob')

  const [, file = ''] = /```json\n(.+?)```/s.exec(guide) ?? []
  const other = await installation('ada').open()
  expect(await importAccount(other, file)).toMatchObject({ contacts: 1, fields: 2 })
  expect(withoutTime(await exportAccount(other))).toEqual(withoutTime(file))
})

/** Fills an account: a profile at two levels with every type of value, five users, and every setting. */
async function fill(kith: Kith): Promise<void> {
  await kith.enableAutoSyncContacts(false)
  await kith.ownProfile.set('name', 'Ada')
  await kith.ownProfile.set('age', 36)
  await kith.ownProfile.set('isHere', true)
  await kith.ownProfile.set('phone', '+441632960001', { level: 2 })
  await kith.ownProfile.set('photo', new Uint8Array([0, 1, 255]), { level: 2 })
  await kith.ownProfile.set('zero', -0, { level: 2 })
  await kith.getProfile('bob').subscribe(true).setProfileAccessLevels([1, 2]).setLabel('Bob').save()
  await kith.getProfile('carol').setProfileAccessLevels([]).save()
  await kith.getProfile('dave').block(true).save()
  await kith.getProfile('erin').subscribe(false).save()
  await kith.getProfile('frank').setLabel('F').save()
  await kith.setPublicAudience('contacts')
  await kith.setMessageAudience('nobody')
  await kith.setHidePresence(true)
}

function withoutTime(text: string): Omit<AccountFile, 'exportedAt'> {
  const { exportedAt: _exportedAt, ...file } = JSON.parse(text) as AccountFile
  return file
}

function withField(x: unknown): unknown {
  return { ...whole, ...lists, profile: [{ level: 0, fields: { x } }] }
}

function withContact(contact: object): unknown {
  return { ...whole, ...lists, contacts: [contact] }
}
