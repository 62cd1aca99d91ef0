import { type LocalPostgres, startLocalPostgres } from '@kith/local-postgres'

/** Names of places that a server of the database is in, one after the other. */
export const places = ['a', 'b', 'c'] as const
export type Place = (typeof places)[number]

const settings = { max_connections: 100, wal_retrieve_retry_interval: '100ms' }

/** A primary and two standbys, any of which confirms a commit; and what the operator's tools do when one fails. */
export class Database {
  readonly #servers: Map<Place, LocalPostgres> = new Map()
  readonly #removing: Set<Promise<void>> = new Set()
  primaryPlace: Place = 'a'

  static async open(): Promise<Database> {
    const database = new Database()
    try {
      database.#servers.set('a', await startLocalPostgres({ ...settings, cluster_name: 'a' }))
      await database.addStandby('b')
      await database.addStandby('c')
      return database
    } catch (error) {
      await database.stop()
      throw error
    }
  }

  get primary(): LocalPostgres {
    return this.at(this.primaryPlace) as LocalPostgres
  }

  at(place: Place): LocalPostgres | undefined {
    return this.#servers.get(place)
  }

  /** The places of the standbys there are. */
  get standbys(): Place[] {
    return places.filter(place => place !== this.primaryPlace && this.#servers.has(place))
  }

  /** Makes a standby of a clone of the primary. From now on it confirms commits as well. */
  async addStandby(place: Place): Promise<void> {
    const standby = await this.primary.addStandby(place)
    this.#servers.set(place, standby)
    await this.primary.confirmBy(...this.standbys)
  }

  /**
   * Makes the standby that has the most the primary, and lets the other one follow it. From its first commit on the other one
   * confirms. The old primary, which no standby confirms any more, keeps its place until `remove`.
   */
  async promote(): Promise<void> {
    // First none of them gets anything more, or the other one may be ahead of the best by the time that it follows.
    await Promise.all(this.standbys.map(place => (this.at(place) as LocalPostgres).followNobody()))
    const [best, other] = await this.#standbysByProgress()
    const [next, following] = [this.at(best), this.at(other)] as [LocalPostgres, LocalPostgres]
    // Before the promotion, so that this one confirms nothing to the old primary that the next one lacks.
    await following.follow(next)
    await next.query(`alter system set synchronous_standby_names = 'ANY 1 ("${other}")'`)
    await next.query('select pg_reload_conf()')
    await next.promote()
    this.primaryPlace = best
    await next.confirmBy(other)
  }

  /** Ends a server for good. */
  async remove(place: Place): Promise<void> {
    const server = this.#servers.get(place)
    if (!server) return
    this.#servers.delete(place)
    await server.kill()
    // Its folder is large; the next server has another.
    const removing = server.stop().finally(() => this.#removing.delete(removing))
    this.#removing.add(removing)
  }

  async stop(): Promise<void> {
    await Promise.all(places.map(place => this.remove(place)))
    await Promise.all(this.#removing)
  }

  async #standbysByProgress(): Promise<[Place, Place]> {
    const [first, second] = this.standbys as [Place, Place]
    const progress = async (place: Place): Promise<number> => {
      const text = `select greatest(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn()) - '0/0'::pg_lsn as bytes`
      return Number((await (this.at(place) as LocalPostgres).query(text))[0]?.['bytes'])
    }
    return (await progress(first)) >= (await progress(second)) ? [first, second] : [second, first]
  }
}
