import type { Kith } from '@kith/client'
import { t } from '../texts/texts.ts'
import { type Cast, edit, type Scene } from './cast.ts'

/** A statement that must be true after a step, according to the devices themselves. */
export interface Claim {
  text: string
  at: Scene
  /** The traffic on its line to the server: something was sent up, came down, or was stopped at the server. */
  line?: 'up' | 'down' | 'stopped'
  isTrue(cast: Cast): boolean
}

export interface Step {
  title: string
  text: string
  run(cast: Cast): Promise<void>
  claims: readonly Claim[]
}

const oldNumber = '+44 1632 960001'
const newNumber = '+44 1632 960777'

const [friends, family, work] = [1, 2, 5] as const

function isIn(kith: Kith, id: string, ...levels: number[]): boolean {
  return kith.getProfile(id).accessLevels.join() === levels.join()
}

/** The steps, in the language of the page. */
export function storySteps(): readonly Step[] {
  const { edit: editWords, merge, grant, revoke, block, join } = t.story
  return [
    {
      ...{ title: editWords.title, text: editWords.text },
      async run({ phone, laptop, bobsPhone, alice, bob, carol, show, setOnline, signal }) {
        bobsPhone.getProfile(alice)
        show('bob')
        await phone.ownProfile.set('name', 'Alice')
        await bobsPhone.ownProfile.set('name', 'Bob')
        await phone.whenSynced({ signal })
        setOnline(phone, false)
        setOnline(laptop, false)
        await edit(phone, bob, profile => profile.setProfileAccessLevels([friends]))
        await edit(laptop, bob, profile => profile.setProfileAccessLevels([family]))
        await edit(laptop, carol, profile => {
          profile.setProfileAccessLevels([friends])
          profile.subscribe(true)
        })
      },
      claims: [
        {
          ...{ text: editWords.phone, at: 'phone' },
          isTrue: ({ phone, bob }) => isIn(phone, bob, friends) && phone.unsent > 0,
        },
        {
          ...{ text: editWords.laptop, at: 'laptop' },
          isTrue: ({ laptop, bob }) => isIn(laptop, bob, family) && laptop.unsent > 0,
        },
      ],
    },
    {
      ...{ title: merge.title, text: merge.text },
      async run({ phone, laptop, setOnline, signal }) {
        setOnline(phone, true)
        setOnline(laptop, true)
        await Promise.all([phone.whenSynced({ signal }), laptop.whenSynced({ signal })])
      },
      claims: [
        {
          ...{ text: merge.saved, at: 'server', line: 'up' },
          isTrue: ({ phone, laptop }) => phone.unsent + laptop.unsent === 0,
        },
        {
          ...{ text: merge.laptop, at: 'laptop', line: 'down' },
          isTrue: ({ laptop, bob }) => isIn(laptop, bob, friends, family),
        },
        {
          ...{ text: merge.phone, at: 'phone', line: 'down' },
          isTrue: ({ phone, bob }) => isIn(phone, bob, friends, family),
        },
        {
          ...{ text: merge.carol, at: 'phone', line: 'down' },
          isTrue: ({ phone, laptop, carol }) => [phone, laptop].every(kith => kith.getProfile(carol).isContact),
        },
      ],
    },
    {
      ...{ title: grant.title, text: grant.text },
      async run({ phone, bob, signal, show }) {
        show('alice')
        await phone.ownProfile.set('phone', oldNumber, { level: work })
        await edit(phone, bob, profile => profile.setProfileAccessLevels([friends, family, work]))
        await phone.whenSynced({ signal })
      },
      claims: [
        {
          ...{ text: grant.bob(oldNumber), at: 'bob', line: 'down' },
          isTrue: ({ bobsPhone, alice }) => bobsPhone.getProfile(alice).fields['phone'] === oldNumber,
        },
      ],
    },
    {
      ...{ title: revoke.title, text: revoke.text },
      async run({ phone, bob, setOnline, signal }) {
        setOnline(phone, false)
        await edit(phone, bob, profile => profile.setProfileAccessLevels([friends, family]))
        await phone.ownProfile.set('phone', newNumber, { level: work })
        setOnline(phone, true)
        await phone.whenSynced({ signal })
      },
      claims: [
        {
          ...{ text: revoke.gone, at: 'bob', line: 'down' },
          isTrue: ({ bobsPhone, alice }) => bobsPhone.getProfile(alice).fields['phone'] === undefined,
        },
        {
          ...{ text: revoke.never(newNumber), at: 'bob', line: 'stopped' },
          isTrue: ({ hasReachedBob }) => hasReachedBob(oldNumber) && !hasReachedBob(newNumber),
        },
      ],
    },
    {
      ...{ title: block.title, text: block.text },
      async run({ laptop, bob, signal }) {
        await edit(laptop, bob, profile => profile.block(true))
        await laptop.whenSynced({ signal })
      },
      claims: [
        {
          ...{ text: block.phone, at: 'phone', line: 'down' },
          isTrue: ({ phone, bob }) => phone.getProfile(bob).isBlocked,
        },
        {
          ...{ text: block.nothing, at: 'bob', line: 'stopped' },
          isTrue: ({ bobsPhone, alice }) => Object.keys(bobsPhone.getProfile(alice).fields).length === 0,
        },
        {
          ...{ text: block.notHere, at: 'bob', line: 'stopped' },
          isTrue: ({ bobsPhone, alice }) => !bobsPhone.getProfile(alice).hasJoined,
        },
      ],
    },
    {
      ...{ title: join.title, text: join.text },
      async run({ carolArrives, alice, signal, show }) {
        show('list')
        const carolsPhone = await carolArrives()
        await carolsPhone.ownProfile.set('name', 'Carol')
        carolsPhone.getProfile(alice)
        await carolsPhone.whenSynced({ signal })
      },
      claims: [
        {
          ...{ text: join.known, at: 'laptop', line: 'down' },
          isTrue: ({ phone, laptop, carol }) => [phone, laptop].every(kith => kith.getProfile(carol).hasJoined),
        },
        {
          ...{ text: join.name, at: 'phone', line: 'down' },
          isTrue: ({ phone, laptop, carol }) =>
            [phone, laptop].every(kith => kith.getProfile(carol).fields['name'] === 'Carol'),
        },
      ],
    },
  ]
}
