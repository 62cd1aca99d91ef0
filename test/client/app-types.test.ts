import { type Contact, ContactSynchronizer, type Fields, type Kith, openKith, type Profile } from '@kith/client'
import { planImport } from '@kith/client/import'
import { useContacts, useOwnProfile, useProfile } from '@kith/client/react'
import { expect, test } from 'vitest'

interface Card {
  name: string
  age?: number
  photo?: Uint8Array
}
const levels = { family: 2, work: 5 } as const
type Circle = keyof typeof levels
type AppKith = Kith<Card, Circle>

/** `tsc` compiles these functions, and fails if an expected error does not occur. None of them runs. */
const uses = {
  async named(): Promise<void> {
    const kith: AppKith = await openKith<Card, Circle>({ url: '', token: '', levels })
    await kith.ownProfile.set('name', 'Ada', { level: 'family' })
    await kith.ownProfile.set('age', 36, { level: 5 })
    const name: string | undefined = kith.getProfile('bob').setProfileAccessLevels(['family', 7]).get('name')
    const fields: Partial<Card> = kith.ownProfile.merged(['work', 0])
    const [row] = await kith.getContacts({ level: 'work' })
    const photo: Uint8Array | undefined = row?.fields.photo
    kith.on('profile', (profile: Profile<Card, Circle>) => profile.get('age')?.toFixed())
    new ContactSynchronizer(kith).setProfileAccessLevels(['family'])
    await planImport(kith, [], { source: 'phone', levels: ['work'] })
    const rows: readonly Contact<Card>[] | undefined = useContacts<Card>()
    const state: Partial<Card> = useProfile<Card>('bob').fields
    await useOwnProfile<Card, Circle>().set('name', 'Ada', { level: 'work' })
    expect([name, fields, photo, rows, state]).toBeDefined()
  },
  async wrong(kith: AppKith): Promise<void> {
    // @ts-expect-error: another type of value
    await kith.ownProfile.set('name', 36)
    // @ts-expect-error: no such field
    await kith.ownProfile.set('nmae', 'Ada')
    // @ts-expect-error: no such level
    await kith.ownProfile.set('name', 'Ada', { level: 'friends' })
    // @ts-expect-error: no such field
    kith.getProfile('bob').get('nmae')
    // @ts-expect-error: no such level
    kith.getProfile('bob').setProfileAccessLevels(['friends'])
    // @ts-expect-error: no such level
    new ContactSynchronizer(kith).setProfileAccessLevels(['friends'])
    // @ts-expect-error: no such level
    await planImport(kith, [], { source: 'phone', levels: ['friends'] })
    // @ts-expect-error: a name without a number
    await openKith<Card, Circle>({ url: '', token: '', levels: { family: 2 } })
    // @ts-expect-error: no value of a field is an array
    await openKith<{ tags: string[] }>({ url: '', token: '' })
  },
  async unnamed(): Promise<void> {
    const kith: Kith = await openKith({ url: '', token: '' })
    await kith.ownProfile.set('anything', 1, { level: 9 })
    const fields: Fields = kith.getProfile('bob').fields
    // @ts-expect-error: levels without names are numbers
    await kith.ownProfile.set('name', 'Ada', { level: 'family' })
    const named = await openKith({ url: '', token: '', levels })
    await named.ownProfile.set('anything', 'Ada', { level: 'family' })
    expect(fields).toBeDefined()
  },
}

test('TypeScript knows the fields and levels that an app names once; the file compiles', () => {
  expect(Object.keys(uses)).toEqual(['named', 'wrong', 'unnamed'])
})
