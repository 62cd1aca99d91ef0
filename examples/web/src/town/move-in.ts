import { type Kith, openKith } from '@kith/client'
import { type DeviceName, databaseOf } from '../devices/name.ts'
import { serverUrl } from '../devices/server-url.ts'
import { demoToken } from '../devices/token.ts'
import { type Citizen, citizens, grantsOf, userIdOf } from './people.ts'
import { drawPortrait } from './portrait.ts'

export function phoneOf({ id }: Citizen): DeviceName {
  return { user: userIdOf(id), device: 'phone' }
}

/** Opens the phone of a citizen like any device of this page, with its own database and connection. */
export function openPhone(citizen: Citizen): Promise<Kith> {
  const name = phoneOf(citizen)
  return openKith({
    ...{ url: serverUrl(), user: name.user, token: () => demoToken(name.user), databaseName: databaseOf(name) },
  })
}

/** Limits how many are open at the same time: each opens a database and a socket. */
const atOnce = 4
const patienceMs = 30_000

/**
 * Gives each citizen a profile and relations, on their own phone. All sign up before any of them is related to another, so that
 * no phone reports eleven people who join. A citizen who has a name is left unchanged.
 */
export async function moveIn(onProgress: (done: number) => void): Promise<void> {
  const signal = AbortSignal.timeout(patienceMs)
  const phones: [Citizen, Kith][] = []
  let done = 0
  try {
    await eachOf(citizens, async citizen => {
      const kith = await openPhone(citizen)
      phones.push([citizen, kith])
      await kith.whenSynced({ signal }) // Receives the data that the server has already.
    })
    await eachOf(phones, async ([citizen, kith]) => {
      if (kith.ownProfile.get('name') === undefined) await fill(kith, citizen)
      done++
      onProgress(done)
    })
    await Promise.all(phones.map(([, kith]) => kith.whenSynced({ signal })))
  } finally {
    await Promise.all(phones.map(([, kith]) => kith.close()))
  }
}

async function eachOf<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const waiting = [...items]
  const next = async (): Promise<void> => {
    for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) await work(item)
  }
  await Promise.all(Array.from({ length: atOnce }, next))
}

async function fill(kith: Kith, { id, name, about, birthday, home, phone, portrait }: Citizen): Promise<void> {
  const { ownProfile } = kith
  await Promise.all([...grantsOf(id)].map(([other, levels]) => grant(kith, userIdOf(other), levels)))
  await ownProfile.set('about', about)
  await ownProfile.set('birthday', birthday, { level: 1 })
  await ownProfile.set('home', home, { level: 2 })
  await ownProfile.set('phone', phone, { level: 2 })
  await ownProfile.set('phone', phone, { level: 5 })
  await ownProfile.set('picture', await drawPortrait(portrait))
  await ownProfile.set('name', name) // The name is set last: a citizen with a name is complete.
}

async function grant(kith: Kith, user: string, levels: readonly number[]): Promise<void> {
  const profile = kith.getProfile(user)
  profile.setProfileAccessLevels(levels)
  profile.subscribe(true)
  await profile.save()
}
