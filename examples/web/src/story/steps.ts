import type { Kith } from '@kith/client'
import { type Cast, edit } from './cast.ts'

/** Something that is to be true after a step, as the devices themselves say. */
interface Claim {
  text: string
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

function levelsFor(kith: Kith, id: string): string {
  return kith.getProfile(id).accessLevels.join(', ')
}

export const steps: readonly Step[] = [
  {
    title: 'Edit on both, offline',
    text: 'Alice’s phone and laptop lose the network. On the phone she gives Bob level 1; on the laptop she gives him level 2, and adds Carol, who is not here yet.',
    async run({ phone, laptop, bobsPhone, alice, bob, carol, show, setOnline, signal }) {
      bobsPhone.getProfile(alice)
      show('bob')
      await phone.ownProfile.set('name', 'Alice')
      await bobsPhone.ownProfile.set('name', 'Bob')
      await phone.whenSynced({ signal })
      setOnline(phone, false)
      setOnline(laptop, false)
      await edit(phone, bob, profile => profile.setProfileAccessLevels([1]))
      await edit(laptop, bob, profile => profile.setProfileAccessLevels([2]))
      await edit(laptop, carol, profile => {
        profile.setProfileAccessLevels([1])
        profile.subscribe(true)
      })
    },
    claims: [
      {
        text: 'The phone says level 1, and its change waits',
        isTrue: ({ phone, bob }) => levelsFor(phone, bob) === '1' && phone.unsent > 0,
      },
      {
        text: 'The laptop says level 2, and its changes wait',
        isTrue: ({ laptop, bob }) => levelsFor(laptop, bob) === '2' && laptop.unsent > 0,
      },
    ],
  },
  {
    title: 'Merge',
    text: 'Both are back. Neither overwrites the other: what either added is there, on both.',
    async run({ phone, laptop, setOnline, signal }) {
      setOnline(phone, true)
      setOnline(laptop, true)
      await Promise.all([phone.whenSynced({ signal }), laptop.whenSynced({ signal })])
    },
    claims: [
      { text: 'The phone says levels 1 and 2', isTrue: ({ phone, bob }) => levelsFor(phone, bob) === '1, 2' },
      { text: 'So does the laptop', isTrue: ({ laptop, bob }) => levelsFor(laptop, bob) === '1, 2' },
      {
        text: 'Carol is on both',
        isTrue: ({ phone, laptop, carol }) => [phone, laptop].every(kith => kith.getProfile(carol).isContact),
      },
      {
        text: 'Nothing waits: it is on the server’s disk',
        isTrue: ({ phone, laptop }) => phone.unsent + laptop.unsent === 0,
      },
    ],
  },
  {
    title: 'Grant',
    text: `Alice keeps a phone number at level 5. Bob sees nothing of it, until she gives him that level: then it is on his phone at once.`,
    async run({ phone, bob, signal, show }) {
      show('alice')
      await phone.ownProfile.set('phone', oldNumber, { level: 5 })
      await edit(phone, bob, profile => profile.setProfileAccessLevels([1, 2, 5]))
      await phone.whenSynced({ signal })
    },
    claims: [
      {
        text: `Bob’s phone shows ${oldNumber}`,
        isTrue: ({ bobsPhone, alice }) => bobsPhone.getProfile(alice).fields['phone'] === oldNumber,
      },
    ],
  },
  {
    title: 'Revoke while offline',
    text: 'On a train, Alice takes level 5 back, and then changes her number. When the phone is back, what she took back goes first: the new number is never sent to Bob, and the old one is gone from his phone.',
    async run({ phone, bob, setOnline, signal }) {
      setOnline(phone, false)
      await edit(phone, bob, profile => profile.setProfileAccessLevels([1, 2]))
      await phone.ownProfile.set('phone', newNumber, { level: 5 })
      setOnline(phone, true)
      await phone.whenSynced({ signal })
    },
    claims: [
      {
        text: 'Bob’s phone shows no number',
        isTrue: ({ bobsPhone, alice }) => bobsPhone.getProfile(alice).fields['phone'] === undefined,
      },
      {
        text: `No byte that it was sent holds ${newNumber}`,
        isTrue: ({ hasReachedBob }) => hasReachedBob(oldNumber) && !hasReachedBob(newNumber),
      },
    ],
  },
  {
    title: 'Block',
    text: 'Alice blocks Bob, on her laptop. Her profile is gone from his phone; whether she blocked him, took back what she showed or erased her account looks the same to him.',
    async run({ laptop, bob, signal }) {
      await edit(laptop, bob, profile => profile.block(true))
      await laptop.whenSynced({ signal })
    },
    claims: [
      {
        text: 'Nothing of Alice is left on Bob’s phone',
        isTrue: ({ bobsPhone, alice }) => Object.keys(bobsPhone.getProfile(alice).fields).length === 0,
      },
      { text: 'To him she is not here', isTrue: ({ bobsPhone, alice }) => !bobsPhone.getProfile(alice).hasJoined },
      { text: 'Alice’s phone knows of the block too', isTrue: ({ phone, bob }) => phone.getProfile(bob).isBlocked },
    ],
  },
  {
    title: 'Join',
    text: 'Carol signs in for the first time. Alice added her before she was here, so her devices are told.',
    async run({ carolArrives, alice, signal, show }) {
      show('list')
      const carolsPhone = await carolArrives()
      await carolsPhone.ownProfile.set('name', 'Carol')
      carolsPhone.getProfile(alice)
      await carolsPhone.whenSynced({ signal })
    },
    claims: [
      {
        text: 'Alice’s phone and laptop know that Carol is here',
        isTrue: ({ phone, laptop, carol }) => [phone, laptop].every(kith => kith.getProfile(carol).hasJoined),
      },
      {
        text: 'They show her name',
        isTrue: ({ phone, laptop, carol }) =>
          [phone, laptop].every(kith => kith.getProfile(carol).fields['name'] === 'Carol'),
      },
    ],
  },
]
