import { readFile } from 'node:fs/promises'
import { type Contact, type ContactFilter, ContactSynchronizer, type Fields, type Kith, KithError } from '@kith/client'
import * as hooks from '@kith/client/react'
import {
  KithProvider,
  useContacts,
  useKith,
  useOwnProfile,
  useProfile,
  useSyncStatus,
  useViewAs,
} from '@kith/client/react'
import * as React from 'react'
import { Component, type FunctionComponent, createElement as h, memo, type ReactNode, StrictMode } from 'react'
import { transformWithOxc } from 'vite'
import { expect, test, vi } from 'vitest'
import { backend } from '../support/backend.ts'
import { sharedByTabs } from '../support/channels.ts'
import { coreOf, queriesOf } from '../support/client-internals.ts'
import { installation } from '../support/devices.ts'
import { openPage } from '../support/page.ts'

test('useKith returns the provider’s client, and throws an explanation without a provider', async () => {
  const kith = await installation('alice').open()
  const page = await openPage()
  const User = (): ReactNode => useKith().user
  page.show(h(KithProvider, { kith }, h(User)))
  await expect.poll(() => page.text).toBe('alice')
  page.show(h(User))
  await expect.poll(() => page.errors.map(String)).toEqual([expect.stringMatching(/^TypeError: .*KithProvider/)])
})

test('useContacts shows the list, undefined before it is read, and renders only those rows again that changed', async () => {
  const kith = await installation('alice').open()
  await new ContactSynchronizer(kith).sync(['bob', 'carol', 'dave'])
  const renders: string[] = []
  const Row = memo(function Row({ contact }: { contact: Contact }): ReactNode {
    renders.push(contact.id)
    return `${contact.id}:${contact.label ?? ''} `
  })
  const firsts: unknown[] = []
  const List = (): ReactNode => {
    const contacts = useContacts()
    firsts.push(contacts)
    return contacts?.map(contact => h(Row, { key: contact.id, contact }))
  }
  const page = await openPage()
  page.show(h(KithProvider, { kith }, h(List)))
  await expect.poll(() => page.text).toBe('bob: carol: dave: ')
  expect([firsts[0], renders.splice(0)]).toEqual([undefined, ['bob', 'carol', 'dave']])
  const carol = kith.getProfile('carol')
  carol.setLabel('C')
  await carol.save()
  await expect.poll(() => page.text).toBe('bob: carol:C dave: ')
  await new ContactSynchronizer(kith).syncAsUpdate(['erin'])
  await expect.poll(() => page.text).toBe('bob: carol:C dave: erin: ')
  expect(renders).toEqual(expect.arrayContaining(['carol', 'erin']))
  expect(new Set(renders)).toEqual(new Set(['carol', 'erin']))
})

test('useContacts shows those who match a filter, gives the same array while they are the same, and shares one query', async () => {
  const kith = await installation('alice').open({ levels: { family: 2 } })
  await new ContactSynchronizer(kith).sync(['bob', 'carol', 'dave'])
  await kith.getProfile('carol').setProfileAccessLevels([2]).setLabel('Zoë').save()
  const seen: Record<string, unknown[]> = { family: [], search: [], none: [] }
  const list = (name: string, filter: () => ContactFilter<'family'>) =>
    function List(): ReactNode {
      const contacts = useContacts<Fields, 'family'>(filter())
      seen[name]?.push(contacts)
      return `${name}: ${contacts?.map(({ id }) => id).join()} `
    }
  let query = 'zoe'
  const [Family, Search, None] = [
    list('family', () => ({ level: 'family' })),
    list('search', () => ({ query, isBlocked: false })),
    list('none', () => ({ isBlocked: true })),
  ]
  const page = await openPage()
  const show = (): void => page.show(h(KithProvider, { kith }, h(Family), h(Search), h(None)))
  show()
  await expect.poll(() => page.text).toBe('family: carol search: carol none:  ')
  const before = seen['family']?.at(-1)
  const bob = kith.getProfile('bob')
  await bob.setLabel('Bobby').save()
  query = 'BOBBY'
  show()
  await expect.poll(() => page.text).toBe('family: carol search: bob none:  ')
  expect(seen['family']?.at(-1)).toBe(before)
  await bob.block(true).save()
  await expect.poll(() => page.text).toBe('family: carol search:  none: bob ')
  expect(page.errors).toEqual([])
})

test('useContacts throws a TypeError that names what is wrong with a filter', async () => {
  const kith = await installation('alice').open()
  const page = await openPage()
  const Wrong = (): ReactNode => useContacts({ isBlocked: 'yes' } as unknown as ContactFilter)?.length
  page.show(h(KithProvider, { kith }, h(Wrong)))
  await expect.poll(() => page.errors.map(String)).toEqual([expect.stringMatching(/^TypeError: filter.isBlocked/)])
})

test('a change that does not concern a component does not render it again', async () => {
  const kith = await installation('alice').open()
  await new ContactSynchronizer(kith).sync(['bob'])
  const renders = { contacts: 0, own: 0, status: 0, view: 0, profile: 0 }
  const Contacts = (): ReactNode => {
    renders.contacts++
    return useContacts()?.length
  }
  const Own = (): ReactNode => {
    renders.own++
    return useOwnProfile().fields.size
  }
  const Status = (): ReactNode => {
    renders.status++
    return useSyncStatus().unsent
  }
  const View = (): ReactNode => {
    renders.view++
    return useViewAs('bob').reason
  }
  const Bob = (): ReactNode => {
    renders.profile++
    return useProfile('bob').isLoaded ? 'loaded' : 'loading'
  }
  const page = await openPage()
  page.show(h(KithProvider, { kith }, h(Contacts), '|', h(Own), '|', h(Status), '|', h(View), '|', h(Bob)))
  await expect.poll(() => page.text).toBe('1|0|2|visible|loaded') // The look at bob follows him, which is unsent too.
  const before = { ...renders }
  expect([before.own, before.view]).toEqual([1, 1]) // What was known at once is not told again.
  await kith.ownProfile.set('diary', 'Dear diary', { level: 9 })
  await expect.poll(() => page.text).toBe('1|1|3|visible|loaded')
  const profile = kith.getProfile('bob')
  profile.setLabel('Bob')
  await profile.save()
  await expect.poll(() => [page.text, renders.contacts]).toEqual(['1|1|4|visible|loaded', before.contacts + 1])
  expect(renders).toEqual({
    contacts: before.contacts + 1,
    own: before.own + 1,
    status: before.status + 2,
    view: before.view,
    profile: before.profile + 1,
  })
})

test('useProfile accesses the profile: it is fetched and followed, shown as loaded with what there is, and kept up to date', async () => {
  const world = await backend()
  const bob = await world.device('bob')
  await bob.ownProfile.set('name', 'Bob')
  await bob.whenSynced()
  const alice = await world.device('alice')
  const shown: string[] = []
  const Bob = (): ReactNode => {
    const { id, fields, isSubscribed, isLoaded } = useProfile('bob')
    const text = `${id} ${fields['name'] ?? '?'} ${isSubscribed} ${isLoaded}`
    shown.push(text)
    return text
  }
  const page = await openPage()
  page.show(h(KithProvider, { kith: alice }, h(Bob)))
  await expect.poll(() => page.text).toBe('bob Bob true true')
  expect(shown[0]).toBe('bob ? false false')
  expect(shown).not.toContain('bob ? true true') // As if there were nothing to be seen.
  await bob.ownProfile.set('name', 'Bobby')
  await expect.poll(() => page.text).toBe('bob Bobby true true')
  await coreOf(alice).store.idle()
  await expect.poll(() => alice.unsent).toBe(0)
  await bob.setPublicAudience('nobody')
  await expect.poll(() => page.text).toBe('bob ? true true') // [V7]
})

test('useProfile has the roster’s facts at once, also of the own user id, and throws for an invalid address', async () => {
  const kith = await installation('alice').open()
  await kith.ownProfile.set('name', 'Ada')
  const bob = kith.getProfile('bob')
  bob.setLabel('Bob')
  bob.setProfileAccessLevels([3])
  await bob.save()
  const shown: object[] = []
  const Person = ({ id }: { id: string }): ReactNode => {
    shown.push(useProfile(id))
    return null
  }
  const page = await openPage()
  page.show(h(KithProvider, { kith }, h(Person, { id: 'bob' }), h(Person, { id: 'alice' })))
  await expect.poll(() => shown.length).toBeGreaterThanOrEqual(2)
  expect(shown[0]).toMatchObject({ id: 'bob', label: 'Bob', levels: [3], isContact: true, isLoaded: false })
  expect(shown[1]).toMatchObject({ id: 'alice', fields: { name: 'Ada' }, hasJoined: true, isLoaded: true })
  await expect.poll(() => shown.at(-1)).toMatchObject({ id: 'bob', isLoaded: true })
  page.show(h(KithProvider, { kith }, h(Person, { id: '\n' })))
  await expect.poll(() => page.errors).toEqual([expect.any(TypeError)])
})

test('useOwnProfile shows the own profile, sets and unsets fields, and shows changes of another tab', async () => {
  const phone = installation('alice', { ...sharedByTabs() })
  const [one, two] = [await phone.open(), await phone.open()]
  let own: ReturnType<typeof useOwnProfile> | undefined
  const seen = new Set<unknown>()
  const Own = (): ReactNode => {
    own = useOwnProfile()
    seen.add(own)
    return `${JSON.stringify([...own.fields])} ${own.publicAudience}`
  }
  const page = await openPage()
  page.show(h(KithProvider, { kith: one }, h(Own)))
  await expect.poll(() => page.text).toBe('[] everyone')
  await own?.set('name', 'Ada')
  await own?.set('phone', '+44', { level: 2 })
  await expect.poll(() => page.text).toBe('[[0,{"name":"Ada"}],[2,{"phone":"+44"}]] everyone')
  await own?.unset('phone', { level: 2 })
  await two.setPublicAudience('nobody')
  await two.ownProfile.set('mood', 'well')
  await expect.poll(() => page.text).toBe('[[0,{"mood":"well","name":"Ada"}]] nobody')
  const { size } = seen
  const bob = two.getProfile('bob')
  bob.setLabel('Bob')
  await bob.save()
  await coreOf(one).store.refresh()
  page.show(h(KithProvider, { kith: one }, h(Own))) // Rendered again, it is the same object.
  await one.ownProfile.set('mood', 'better')
  await expect.poll(() => page.text).toContain('better')
  expect(seen.size).toBe(size + 1)
})

test('useSyncStatus shows the status and the unsent count, and useViewAs what a user would see', async () => {
  const world = await backend()
  const alice = await world.device('alice', { connect: false })
  const Status = (): ReactNode => Object.values(useSyncStatus()).join()
  const View = (): ReactNode => JSON.stringify(useViewAs('bob'))
  const page = await openPage()
  page.show(h(KithProvider, { kith: alice }, h(Status), h(View)))
  await expect.poll(() => page.text).toBe('offline,0{"levels":[0],"fields":{},"reason":"visible"}')
  await alice.ownProfile.set('name', 'Ada')
  await expect.poll(() => page.text).toBe('offline,1{"levels":[0],"fields":{"name":"Ada"},"reason":"visible"}')
  const bob = alice.getProfile('bob')
  bob.block(true)
  await bob.save()
  alice.connect()
  await expect.poll(() => page.text).toBe('synced,0{"levels":[],"fields":{},"reason":"blocked"}')
})

test('the hooks show changes that another tab writes', async () => {
  const phone = installation('alice', { ...sharedByTabs() })
  const [one, two] = [await phone.open(), await phone.open()]
  const List = (): ReactNode => `${useContacts()?.map(({ label }) => label)} `
  const Bob = (): ReactNode => `${useProfile('bob').label} `
  const View = (): ReactNode => `${useViewAs('bob').levels.join()} `
  const Unsent = (): ReactNode => useSyncStatus().unsent
  const page = await openPage()
  page.show(h(KithProvider, { kith: two }, h(List), h(Bob), h(View), h(Unsent)))
  const bob = one.getProfile('bob')
  bob.setLabel('Bob')
  bob.setProfileAccessLevels([6])
  await bob.save()
  await expect.poll(() => page.text).toBe('Bob Bob 0,6 2') // With the follow.
})

test('components share one subscription for each query, and the last component ends it', async () => {
  const kith = await installation('alice').open()
  await new ContactSynchronizer(kith).sync(['bob', 'carol'])
  const [contacts, profiles] = [vi.spyOn(kith, 'contacts'), vi.spyOn(kith, 'liveProfile')]
  const accesses = vi.spyOn(kith, 'getProfile')
  const lists: unknown[] = []
  const List = (): ReactNode => {
    const list = useContacts()
    lists.push(list)
    return list?.length
  }
  const Person = ({ id }: { id: string }): ReactNode => useProfile(id).id
  const all = (): ReactNode =>
    Array.from({ length: 50 }, (_, index) => [
      h(List, { key: `list ${index}` }),
      h(Person, { key: index, id: index % 2 ? 'bob' : 'carol' }),
    ])
  const page = await openPage()
  page.show(h(KithProvider, { kith }, all()))
  await expect.poll(() => page.text).toContain('2carol2bob')
  expect([contacts, accesses].map(spy => spy.mock.calls.length)).toEqual([1, 2])
  await expect.poll(() => profiles.mock.calls.length).toBe(4) // Once more when each is loaded.

  // Another list that replaces all of these continues with the existing data.
  lists.length = 0
  page.show(h(KithProvider, { kith }, h(List, { key: 'another' })))
  await expect.poll(() => page.text).toBe('2')
  expect([lists[0], contacts.mock.calls.length]).toEqual([expect.any(Array), 1])

  page.show(null)
  await expect.poll(() => page.text).toBe('')
  const reads = vi.spyOn(coreOf(kith).store.db.people, 'where')
  await new ContactSynchronizer(kith).syncAsUpdate(['dave'])
  await coreOf(kith).store.refresh()
  expect(reads).not.toHaveBeenCalled()

  // Data that was read earlier is not shown as current.
  lists.length = 0
  page.show(h(KithProvider, { kith }, h(List)))
  await expect.poll(() => page.text).toBe('3')
  expect(lists[0]).toBe(undefined)
})

test('what was kept for a user is forgotten when the last component that shows the user leaves, and not before', async () => {
  const kith = await installation('alice').open()
  const queries = (): unknown[] => [queriesOf(kith).profile('bob'), queriesOf(kith).viewAs('bob')]
  const Person = (): ReactNode => `${useProfile('bob').id} ${useViewAs('bob').reason} `
  const page = await openPage()
  page.show(h(KithProvider, { kith }, [h(Person, { key: 1 }), h(Person, { key: 2 })]))
  await expect.poll(() => page.text).toBe('bob visible bob visible ')
  const before = queries()
  page.show(h(KithProvider, { kith }, [h(Person, { key: 2 })]))
  await expect.poll(() => page.text).toBe('bob visible ')
  page.show(h(KithProvider, { kith }, [h(Person, { key: 3 })])) // Takes over in the same turn.
  await expect.poll(() => page.text).toBe('bob visible ')
  expect(queries().map((query, index) => query === before[index])).toEqual([true, true])
  page.show(null)
  await expect.poll(() => page.text).toBe('')
  expect(queries().map((query, index) => query === before[index])).toEqual([false, false])
})

test('in StrictMode, where React unmounts and mounts again at once, the hooks show everything', async () => {
  const kith = await installation('alice').open()
  await new ContactSynchronizer(kith).sync(['bob'])
  const contacts = vi.spyOn(kith, 'contacts')
  const List = (): ReactNode => useContacts()?.length
  const Bob = (): ReactNode => ` ${useProfile('bob').isLoaded} ${useOwnProfile().fields.size} ${useSyncStatus().status}`
  const page = await openPage()
  page.show(h(StrictMode, null, h(KithProvider, { kith }, h(List), h(Bob))))
  await expect.poll(() => page.text).toBe('1 true 0 offline')
  expect(contacts).toHaveBeenCalledTimes(1)
})

test('a new client on the provider switches all hooks to it', async () => {
  const [alice, bob] = [await installation('alice').open(), await installation('bob').open()]
  await alice.ownProfile.set('name', 'Ada')
  await new ContactSynchronizer(alice).sync(['carol'])
  const All = (): ReactNode =>
    `${useContacts()?.map(({ id }) => id)} ${useOwnProfile().fields.get(0)?.['name']} ${useViewAs('carol').fields['name']} ${useSyncStatus().unsent} ${useProfile('carol').isContact}`
  const page = await openPage()
  page.show(h(KithProvider, { kith: alice }, h(All)))
  await expect.poll(() => page.text).toBe('carol Ada Ada 3 true') // With the follow.
  page.show(h(KithProvider, { kith: bob }, h(All)))
  await expect.poll(() => page.text).toBe('carol undefined undefined 1 false') // Followed by the look.
  await bob.ownProfile.set('name', 'Bob')
  await alice.ownProfile.set('name', 'Nobody')
  await expect.poll(() => page.text).toBe('carol Bob Bob 2 false')
})

test('a client that is closed before or while components use it causes no error', async () => {
  const kith = await installation('alice').open()
  await new ContactSynchronizer(kith).sync(['bob'])
  const All = (): ReactNode =>
    `${useContacts()?.length} ${useProfile('bob').isContact} ${useOwnProfile().fields.size} ${useSyncStatus().status} ${useViewAs('bob').reason} `
  const page = await openPage()
  page.show(h(KithProvider, { kith }, h(All)))
  await expect.poll(() => page.text).toBe('1 true 0 offline visible ')
  await kith.close()
  page.show(h(KithProvider, { kith }, h(All), h(All)))
  await expect.poll(() => page.text).toBe('1 true 0 offline visible '.repeat(2))
  page.show(null)
  await expect.poll(() => page.text).toBe('')
  page.show(h(KithProvider, { kith }, h(All)))
  await expect.poll(() => page.text).toBe('undefined true 0 offline visible ')
  expect(page.errors).toEqual([])
})

test('when the database cannot be read, the error boundary gets the error, and rendering again reads again', async () => {
  const kith = await installation('alice').open()
  await new ContactSynchronizer(kith).sync(['bob'])
  const failing = vi.spyOn(coreOf(kith).store.db.people, 'where').mockImplementation(() => {
    throw new Error('No disk')
  })
  const List = (): ReactNode => useContacts()?.length
  const page = await openPage()
  const caught: unknown[] = []
  const show = (key: string): void =>
    page.show(h(KithProvider, { kith }, h(Boundary, { key, caught: error => caught.push(error) }, h(List))))
  show('first')
  await expect.poll(() => page.text).toBe('failed')
  expect(caught).toEqual([expect.any(KithError)])
  expect(caught[0]).toMatchObject({ code: 'database-failed' })
  failing.mockRestore()
  show('again')
  await expect.poll(() => page.text).toBe('1')
})

test("the README's components do what it says", async () => {
  const world = await backend()
  const bob = await world.device('bob')
  await bob.ownProfile.set('name', 'Bob')
  await bob.whenSynced()
  const kith = await world.device('alice')
  await new ContactSynchronizer(kith).sync(['bob', 'carol'])
  const App = await readmeApp()
  const page = await openPage()
  page.show(h(App, { kith }))
  await expect.poll(() => page.text).toBe('bobcarolBob: visible')
})

/** The README's components, as a function of the imports of their file. */
async function readmeApp(): Promise<FunctionComponent<{ kith: Kith }>> {
  const readme = await readFile(new URL('../../README.md', import.meta.url), 'utf8')
  const [, source = ''] = /```tsx\n(.+?)```/s.exec(readme) ?? []
  const body = source.replace(/^import .*$/gm, '').replace('export function App', 'return App; function App')
  const { code } = await transformWithOxc(`(() => {${body}})`, 'readme.tsx', { jsx: { runtime: 'classic' } })
  const around = { React, memo, ...hooks }
  return new Function(...Object.keys(around), `return ${code.replace(/;\s*$/, '')}`)(...Object.values(around))()
}

class Boundary extends Component<{ caught(error: unknown): void; children?: ReactNode }, { isFailed: boolean }> {
  override state = { isFailed: false }

  static getDerivedStateFromError(): { isFailed: boolean } {
    return { isFailed: true }
  }

  override componentDidCatch(error: unknown): void {
    this.props.caught(error)
  }

  override render(): ReactNode {
    return this.state.isFailed ? 'failed' : this.props.children
  }
}
