import { type LocalPostgres, startLocalPostgres } from '@kith/local-postgres'

/** Names of places. A place holds one server of the database after another. */
export const places = ['a', 'b', 'c'] as const
export type Place = (typeof places)[number]

const settings = { max_connections: 100, wal_retrieve_retry_interval: '100ms' }

/**
 * A primary and two standbys, any of which confirms a commit. The methods do the work of an operator's tools when a server
 * fails.
 */
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

  /** The places of the current standbys. */
  get standbys(): Place[] {
    return places.filter(place => place !== this.primaryPlace && this.#servers.has(place))
  }

  /** Makes a clone of the primary a standby. From now on, it also confirms commits. */
  async addStandby(place: Place): Promise<void> {
    const standby = await this.primary.addStandby(place)
    this.#servers.set(place, standby)
    await this.primary.confirmBy(...this.standbys)
  }

  /**
   * Makes the standby with the most data the primary, and lets the other standby follow it. The other standby confirms every
   * commit from the first one on. No standby confirms commits of the old primary any more; it keeps its place until `remove`.
   */
  async promote(): Promise<void> {
    // First, no standby receives more data. Otherwise the other standby could be ahead of the best one by the time that it
    // follows.
    await Promise.all(this.standbys.map(place => (this.at(place) as LocalPostgres).followNobody()))
    const [best, other] = await this.#standbysByProgress()
    const [next, following] = [this.at(best), this.at(other)] as [LocalPostgres, LocalPostgres]
    // Before the promotion, so that this standby confirms no commit to the old primary that the new primary lacks.
    await following.follow(next)
    await next.query(`alter system set synchronous_standby_names = 'ANY 1 ("${other}")'`)
    await next.query('select pg_reload_conf()')
    await next.promote()
    this.primaryPlace = best
    await next.confirmBy(other)
  }

  /** Ends a server permanently. */
  async remove(place: Place): Promise<void> {
    const server = this.#servers.get(place)
    if (!server) return
    this.#servers.delete(place)
    await server.kill()
    // Its folder is large. The next server has another folder.
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
