import { Dexie, type Table } from 'dexie'
import { type DatabaseOptions, dexieOptions } from '../database/schema.ts'

/**
 * Who was here last, by url: so that a device can open offline before its token can be had. And which databases were
 * erased, by the name of their device's first writer: so that no tab that still lives brings one back, and one whose
 * deletion was cut short is not opened again.
 */
class VisitsDatabase extends Dexie {
  declare readonly visits: Table<{ url: string; user: string }, string>
  declare readonly erased: Table<{ writer: string; why?: Erasure }, string>

  constructor(options: DatabaseOptions) {
    super('kith-visits', dexieOptions(options))
    this.version(1).stores({ visits: 'url' })
    this.version(2).stores({ visits: 'url', erased: 'writer' })
  }
}

export async function lastVisitor(options: DatabaseOptions, url: string): Promise<string | undefined> {
  return using(options, async db => (await db.visits.get(url))?.user)
}

/** Writes nothing when that is known: a device opens on a full disk, too. */
export async function noteVisit(options: DatabaseOptions, url: string, user: string): Promise<void> {
  await using(options, async db => {
    if ((await db.visits.get(url))?.user !== user) await db.visits.put({ url, user })
  })
}

/** Why a device was erased, as the code that its other tabs report: the app erased it, or the account was erased [D7]. */
export type Erasure = 'closed' | 'account-erased'

/** To be called before the database of this device is deleted. Returns whether it was noted for the first time. */
export async function noteErased(options: DatabaseOptions, device: string, why: Erasure): Promise<boolean> {
  return using(options, db =>
    db.transaction('rw', db.erased, async () => {
      if (await db.erased.get(device)) return false
      await db.erased.put({ writer: device, why })
      return true
    }),
  )
}

/** `undefined` when it was not. */
export async function erasureOf(options: DatabaseOptions, device: string): Promise<Erasure | undefined> {
  return using(options, async db => {
    const erased = await db.erased.get(device)
    return erased && (erased.why ?? 'closed')
  })
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
