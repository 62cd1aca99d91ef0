import type { KeyChange } from '@kith/shared'
import { randomFrom } from './random.ts'

/** The number of users who know each other, and whose changes are derived together. */
const townSize = 1_000
/** Most of a user's contacts are mutual: this many neighbours on each side. */
const neighboursEachSide = 15
/** A user grants level 1 to this many users on each side, and level 2 to the nearest. */
const friendsEachSide = 8
const closeEachSide = 2
/** The number of contacts in a phone book that have no account. */
const unregisteredContacts = 5
const contactsOfUser = 50
/** The number of phone numbers in a town that no user has registered. */
const unregisteredOfTown = 200
/** The number of famous owners. The first is followed by a tenth of all users, the second by half as many, and so on. */
const famousCount = 20
const shareOfFirst = 10
/** One in this many users joins after other users have already named that user [F3]. */
const oneInLate = 10
/** One in this many phone numbers belongs to a user. */
const numbersPerUser = 487

/** One change of one device: its write to one of its documents. `joins`: it registers, and writes nothing. */
export type Step =
  | { readonly user: string; readonly part: 'joins' }
  | { readonly user: string; readonly part: 'profile' | 'roster'; readonly changes: readonly KeyChange[] }

/** A group of users with all their steps, in order. They name no users of other towns, except famous owners. */
export interface Town {
  readonly users: readonly string[]
  steps(): Iterable<Step>
}

/**
 * Users with 50 contacts each, drawn from a seed: the same number of users gives the same population. Contacts are in towns of
 * 1,000, in which some users are named by many others. 20 famous owners are followed from all towns.
 */
export class Population {
  readonly size: number
  /** The famous owners, the most followed first. */
  readonly famous: readonly string[]

  constructor(size: number) {
    this.size = size
    this.famous = Array.from({ length: famousCount }, (_, index) => `+44790${String(index).padStart(9, '0')}`)
  }

  /** Returns the user with this number, from 0. Ids are in the order of the numbers, with gaps as phone numbers have them. */
  user(index: number): string {
    const gap = Math.floor(randomFrom(index)() * numbersPerUser)
    return `+44770${String(index * numbersPerUser + gap).padStart(9, '0')}`
  }

  /**
   * Returns the numbers of `count` users who are spread over all towns, at these places in their towns. The place of a user
   * determines how many others name the user. Therefore, populations of different sizes have the same users at these places.
   */
  spread(count: number, placeOf: (index: number) => number): number[] {
    const towns = Math.max(1, Math.floor(this.size / townSize))
    return Array.from({ length: count }, (_, index) => townSize * Math.floor((index * towns) / count) + placeOf(index))
  }

  /** The number of users in a town: fewer if the population is smaller than one town. */
  get usersOfTown(): number {
    return Math.min(this.size, townSize)
  }

  /** Whether the user with this number follows the famous owner with this rank, from 0. */
  follows(index: number, rank: number): boolean {
    return (index + 7 * rank) % (shareOfFirst * (rank + 1)) === 0
  }

  followersOf(rank: number): string[] {
    const followers: string[] = []
    for (let index = 0; index < this.size; index++) if (this.follows(index, rank)) followers.push(this.user(index))
    return followers
  }

  /** Yields the famous owners first, since the others follow them. */
  *towns(): Iterable<Town> {
    yield { users: this.famous, steps: () => this.#famousSteps() }
    for (let first = 0; first < this.size; first += townSize) yield this.#town(first)
  }

  *#famousSteps(): Iterable<Step> {
    for (const user of this.famous) yield* joining(user)
    for (const user of this.famous) {
      const others = this.famous.filter(other => other !== user)
      yield { user, part: 'roster', changes: others.flatMap(other => contact(other, [])) }
    }
  }

  #town(first: number): Town {
    const size = Math.min(townSize, this.size - first)
    const users = Array.from({ length: size }, (_, index) => this.user(first + index))
    const isLate = (index: number): boolean => index % oneInLate === oneInLate - 1
    const rosterOf = (index: number): Step => ({
      user: users[index] as string,
      part: 'roster',
      changes: this.#contactsOf(first, users, index),
    })
    return {
      users,
      *steps() {
        for (const [index, user] of users.entries()) if (!isLate(index)) yield* joining(user)
        for (const index of users.keys()) if (!isLate(index)) yield rosterOf(index)
        for (const [index, user] of users.entries()) {
          if (!isLate(index)) continue
          yield* joining(user)
          yield rosterOf(index)
        }
      },
    }
  }

  #contactsOf(first: number, users: readonly string[], index: number): KeyChange[] {
    const random = randomFrom(first + index)
    const named = new Map<string, readonly number[]>()
    const most = Math.min(neighboursEachSide, Math.floor((users.length - 1) / 2))
    for (let distance = 1; distance <= most; distance++) {
      const levels = distance <= closeEachSide ? [1, 2] : distance <= friendsEachSide ? [1] : []
      named.set(users[(index + distance) % users.length] as string, levels)
      named.set(users[(index - distance + users.length) % users.length] as string, levels)
    }
    for (const [rank, famous] of this.famous.entries()) if (this.follows(first + index, rank)) named.set(famous, [])
    const town = String(first / townSize).padStart(5, '0')
    while (named.size < 2 * most + unregisteredContacts) {
      const number = String(Math.floor(random() * unregisteredOfTown)).padStart(3, '0')
      named.set(`+44780${town}0${number}`, [1])
    }
    // A few users are named by most others: the draw is the cube of a uniform one.
    while (named.size < Math.min(contactsOfUser, users.length - 1)) {
      const popular = Math.floor(users.length * random() ** 3)
      if (popular !== index && !named.has(users[popular] as string)) {
        named.set(users[popular] as string, popular < famousCount ? [1] : [])
      }
    }
    return [...named].flatMap(([other, levels]) => contact(other, levels))
  }
}

function* joining(user: string): Iterable<Step> {
  yield { user, part: 'joins' }
  const random = randomFrom(Number(user.slice(1)))
  const picture = Array.from({ length: 4 }, () =>
    Math.floor(random() * 2 ** 32)
      .toString(16)
      .padStart(8, '0'),
  )
  const field = (level: number, name: string, value: string): KeyChange => ({
    root: 'fields',
    key: `${level}/benchmark/${name}`,
    value,
  })
  yield {
    user,
    part: 'profile',
    changes: [
      field(0, 'name', `User with the number ${user}`),
      field(0, 'picture', `https://example.org/pictures/${picture.join('')}`),
      field(1, 'phone', user),
      field(1, 'status', `At home since ${1970 + Math.floor(random() * 50)}`),
      field(2, 'address', `${Math.floor(random() * 200)} High Street`),
    ],
  }
}

function contact(other: string, levels: readonly number[]): KeyChange[] {
  return [
    { root: 'contacts', key: other, value: true },
    ...levels.map(level => ({ root: 'grants', key: `${level}/${other}`, value: true })),
    { root: 'subscriptions', key: other, value: true },
  ]
}
