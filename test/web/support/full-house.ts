import type { Kith } from '@kith/client'
import { installation } from '../../support/devices.ts'
import { demoToken } from './demo-token.ts'

/** A word that no line of the page can hold. */
export const longWord: string = 'Donaudampfschifffahrtselektrizitaetenhauptbetriebswerkbauunterbeamtengesellschaft'
/** Right-to-left letters; the end of an isolate that did not begin; marks that change the direction of the text after them. */
export const bidiName: string = 'רחל \u2069\u202Eevil gnp.exe \u2067'
/** A user id with right-to-left letters. */
export const bidiId: string = 'רחל'
const twoLines =
  'Words that take two lines wherever they stand, on a phone and on a desk, since they go on for long enough.'

/** Names of Alice's contacts, by user id. */
const people: Readonly<Record<string, string>> = {
  tenfields: `Ten Fields ${longWord}`,
  [bidiId]: bidiName,
  [`${longWord.slice(0, 60)}.${longWord.slice(0, 50)}@example.org`]: twoLines,
}

const fieldNames = [
  'name',
  'about',
  'birthday',
  'email',
  'home',
  'phone',
  'work',
  'web',
  longWord.slice(0, 64),
  bidiName,
]
const manyLevels = [0, 1, 2, 3, 4, 5, 17, 18, 19, 100, 101, 102, 200, 201, 255]

export interface FullHouse {
  /** Alice's contacts, by user id. */
  people: ReadonlyMap<string, Kith>
}

/**
 * A demo server whose users have everything for which a page could be too small: ten fields, long texts and words, names of
 * both directions, many levels. Alice has them as contacts, and they have Alice as a contact.
 */
export async function fullHouse(url: string): Promise<FullHouse> {
  const open = (user: string): Promise<Kith> =>
    installation(user, { url: url.replace('http', 'ws'), token: () => demoToken(url, user), connect: true }).open()
  const alice = await open('alice')
  await fill(alice, `Alice ${bidiName}`)
  const kiths = new Map<string, Kith>()
  for (const [id, name] of Object.entries(people)) {
    const kith = await open(id)
    kiths.set(id, kith)
    await fill(kith, name)
    await grant(kith, 'alice', [1, 2, 5])
    await kith.whenSynced()
    await grant(alice, id, manyLevels)
  }
  await grant(alice, 'labelled', [1])
  const labelled = alice.getProfile('labelled')
  labelled.setLabel(`${bidiName} ${longWord}`)
  await labelled.save()
  await alice.whenSynced()
  await alice.close()
  return { people: kiths }
}

async function grant(kith: Kith, id: string, levels: number[]): Promise<void> {
  const profile = kith.getProfile(id)
  profile.setProfileAccessLevels(levels)
  await profile.save()
}

/** Sets ten fields, at four levels. */
async function fill({ ownProfile }: Kith, name: string): Promise<void> {
  for (const [index, field] of fieldNames.entries()) {
    const value = [twoLines, longWord, `${bidiName} ${twoLines}`][index % 3] as string
    await ownProfile.set(field, field === 'name' ? name : value, { level: [0, 0, 1, 2, 5][index % 5] as number })
  }
}
