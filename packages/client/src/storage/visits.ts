import { Dexie, type Table } from 'dexie'
import { type DatabaseOptions, dexieOptions } from './database.ts'

/** Who was here last, by url: so that a device can open offline before its token can be had. */
class VisitsDatabase extends Dexie {
  declare readonly visits: Table<{ url: string; user: string }, string>

  constructor(options: DatabaseOptions) {
    super('kith-visits', dexieOptions(options))
    this.version(1).stores({ visits: 'url' })
  }
}

export async function lastVisitor(options: DatabaseOptions, url: string): Promise<string | undefined> {
  return using(options, async db => (await db.visits.get(url))?.user)
}

export async function noteVisit(options: DatabaseOptions, url: string, user: string): Promise<void> {
  await using(options, db => db.visits.put({ url, user }))
}

/** Forgets this user's visit; another's stays. */
export async function forgetVisit(options: DatabaseOptions, url: string, user: string): Promise<void> {
  await using(options, db =>
    db.visits
      .where({ url })
      .filter(visit => visit.user === user)
      .delete(),
  )
}

async function using<T>(options: DatabaseOptions, body: (db: VisitsDatabase) => PromiseLike<T>): Promise<T> {
  const db = new VisitsDatabase(options)
  try {
    return await body(db)
  } finally {
    db.close()
  }
}
