import { BulkDerivation, type PackedRecords } from '@kith/server/testing'
import { defaultLimits } from '@kith/shared'
import { changeOf } from './documents.ts'
import { Population, type Town } from './population.ts'

/** The data that a thread needs to derive towns. */
export interface TownsOptions {
  readonly users: number
  readonly nowMs: number
}

/** The records of a town, by family. */
export interface TownRecords {
  readonly number: number
  readonly records: PackedRecords
  /** The position of its last change. */
  readonly position: number
}

/** Derives towns by their number, in any order. The famous owners, town 0, are known to all other towns. */
export class Towns {
  readonly #towns: readonly Town[]
  readonly #famous: readonly string[]
  readonly #derivation: BulkDerivation
  readonly #nowMs: number
  #first: Promise<TownRecords> | undefined

  constructor({ users, nowMs }: TownsOptions) {
    const population = new Population(users)
    this.#towns = [...population.towns()]
    this.#famous = population.famous
    this.#nowMs = nowMs
    this.#derivation = new BulkDerivation({ limits: defaultLimits, nowMs })
  }

  get count(): number {
    return this.#towns.length
  }

  async derive(number: number): Promise<TownRecords> {
    this.#first ??= this.#derive(0, this.#famous)
    const first = await this.#first
    return number === 0 ? first : this.#derive(number, [])
  }

  async #derive(number: number, keeps: readonly string[]): Promise<TownRecords> {
    const derivation = this.#derivation
    const { users, steps } = this.#towns[number] as Town
    derivation.position = this.#towns.slice(0, number).reduce((sum, town) => sum + commitsOf(town), 0)
    const last = derivation.position + commitsOf({ users })
    for (const step of steps()) await derivation.commit(changeOf(step))
    const minute = Math.floor(this.#nowMs / 60_000)
    await derivation.commit({ type: 'seen', users: users.map(user => ({ user, minute })) })
    if (derivation.position !== last) throw new Error(`town ${number} has ${derivation.position} changes, not ${last}`)
    return { number, records: await derivation.endGroup(keeps), position: last }
  }
}

/** Each user joins, writes a profile and writes a roster. One more change contains the last-seen times of all of them. */
function commitsOf({ users }: Pick<Town, 'users'>): number {
  return 3 * users.length + 1
}
