import type { Portrait } from './portrait.ts'

/** A person in the town. */
export interface Citizen {
  /** The part of the user id before the `@`. */
  id: string
  name: string
  about: string
  phone: string
  email?: string
  birthday: string
  home: string
  portrait: Portrait
}

const domain = 'elm.example'

export function userIdOf(id: string): string {
  return `${id}@${domain}`
}

export function isCitizen(user: string): boolean {
  return user.endsWith(`@${domain}`)
}

const grounds = ['#f6d9b8', '#cfe4e0', '#dcd3ee', '#f3cfc6', '#d5e5c4', '#c9d8ee'] as const

/** Twelve people of one small town, all made up. Numbers are from the range for fiction (Ofcom). */
export const citizens: readonly Citizen[] = [
  person('alice', 'Alice Hart', 'Nurse. Ask me about bees.', '01', '10 December', '3 Mill Lane', [
    '#8d5a3b',
    '#3b2417',
    '#2f7f74',
    'long',
  ]),
  person(
    'bob',
    'Bob Lindgren',
    'Up at four, bread at seven.',
    '02',
    '2 March',
    '12 Market Square',
    ['#f0c9a8', '#c98b3c', '#7a4e9b', 'short'],
    'beard',
  ),
  person(
    'carmen',
    'Carmen Ruiz',
    'Teaches year four.',
    '03',
    '19 July',
    '5 School Road',
    ['#d9a47c', '#2a1a14', '#c2543e', 'bun'],
    'glasses',
  ),
  person('dev', 'Dev Patel', 'Bicycles, new and mended.', '04', '8 January', '21 Bridge Street', [
    '#b07a4f',
    '#17110d',
    '#2d5f9a',
    'short',
  ]),
  person(
    'emeka',
    'Emeka Obi',
    'Drives the number 7.',
    '05',
    '30 May',
    '8 Mill Lane',
    ['#6b432b', '#14100d', '#d08a2e', 'bald'],
    'beard',
  ),
  person('fatima', 'Fatima Haddad', 'Pharmacy on the square.', '06', '14 April', '2 Market Square', [
    '#cf9d76',
    '#4a6fa5',
    '#33506f',
    'scarf',
  ]),
  person(
    'grace',
    'Grace Kim',
    'Plays the organ. Loudly.',
    '07',
    '22 September',
    '1 Church Walk',
    ['#f2d2b4', '#171213', '#8d3f5d', 'short'],
    'glasses',
  ),
  person(
    'hedy',
    'Hedy Hart',
    'Retired, and busier than ever.',
    '08',
    '9 November',
    '3 Mill Lane',
    ['#e9c3a4', '#cfcac4', '#5c6b8a', 'curly'],
    'glasses',
  ),
  person(
    'ivan',
    'Ivan Petrov',
    'Carpenter. Chairs, mostly.',
    '09',
    '1 February',
    '17 River Side',
    ['#f1cdb0', '#6b4a2c', '#3f7d4e', 'short'],
    'beard',
  ),
  person('joan', 'Joan Hart', 'Still studying. Home at weekends.', '10', '6 June', '3 Mill Lane', [
    '#a56d49',
    '#4a2c1d',
    '#c7762f',
    'curly',
  ]),
  person('layla', 'ليلى منصور', 'أرسم كل يوم · I draw every day', '11', '28 August', '9 River Side', [
    '#d6a77f',
    '#1f1512',
    '#9b4a72',
    'long',
  ]),
  person('zoe', 'Zoë O’Brien', 'Vet. Small animals and one llama.', '12', '3 October', '14 Bridge Street', [
    '#f5d5bd',
    '#b4552a',
    '#28796b',
    'bun',
  ]),
]

type Drawing = readonly [skin: string, hair: string, shirt: string, style: Portrait['style']]

function person(
  ...[id, name, about, number, birthday, home, [skin, hair, shirt, style], ...more]: [
    id: string,
    name: string,
    about: string,
    number: string,
    birthday: string,
    home: string,
    drawing: Drawing,
    ...more: ('beard' | 'glasses')[],
  ]
): Citizen {
  const ground = grounds[Number(number) % grounds.length] as string
  const features = Object.fromEntries(more.map(feature => [feature, true]))
  return {
    ...{ id, name, about, birthday, home: `${home}, Elm`, phone: `+44 1632 9600${number}` },
    portrait: { ground, skin, hair, shirt, style, ...features },
  }
}

/** People who are in each other's circle of this level. */
interface Group {
  level: number
  members: readonly string[]
}

const [friends, family, work] = [1, 2, 5]

const groups: readonly Group[] = [
  { level: family as number, members: ['alice', 'hedy', 'joan'] },
  { level: friends as number, members: ['alice', 'bob', 'carmen', 'zoe', 'layla'] },
  { level: friends as number, members: ['bob', 'dev', 'ivan', 'emeka'] },
  { level: friends as number, members: ['hedy', 'grace', 'fatima'] },
  { level: work as number, members: ['alice', 'fatima', 'zoe'] },
  { level: work as number, members: ['bob', 'carmen', 'grace'] },
  { level: friends as number, members: ['alice', 'dev'] },
  { level: friends as number, members: ['alice', 'emeka', 'grace'] },
  { level: friends as number, members: ['joan', 'layla', 'dev'] },
]

/** The levels that a citizen grants, by the citizens who get them. */
export function grantsOf(id: string): ReadonlyMap<string, readonly number[]> {
  const levels = new Map<string, number[]>()
  for (const { level, members } of groups) {
    if (!members.includes(id)) continue
    for (const other of members) {
      if (other !== id)
        levels.set(
          other,
          [...new Set([...(levels.get(other) ?? []), level])].sort((a, b) => a - b),
        )
    }
  }
  return levels
}
