import { join } from 'node:path'
import { type Kith, KithError, openKith } from '@kith/client'
import { exportAccount, importAccount } from '@kith/client/account'
import { planImport, readContacts } from '@kith/client/import'
import { sqlite } from '@kith/client/sqlite'
import { type SqliteDriver, type SqliteRow, type SqliteValue, sqliteOn } from '@kith/client/sqlite-driver'
import Sqlite from 'better-sqlite3'
import { type Card, type Circle, levels } from './card.ts'

/** Opens the device of a user, with its data in a folder. */
export function openBot(url: string, user: string, token: string, folder: string): Promise<Kith<Card, Circle>> {
  return openKith<Card, Circle>({ url, user, token, levels, storage: sqlite(folder) })
}

/** Gives a user's family the phone number, and resolves when the server has it. */
export async function publish(kith: Kith<Card, Circle>, family: string): Promise<void> {
  await kith.ownProfile.set('name', 'Ada')
  await kith.ownProfile.set('phone', '+441632960001', { level: 'family' })
  await kith.getProfile(family).setProfileAccessLevels(['family']).setLabel('Family').save()
  await kith.whenSynced()
}

/** Imports a phone book, and returns how many were added. */
export async function importPhoneBook(kith: Kith<Card, Circle>, card: string): Promise<number> {
  const plan = await planImport(kith, readContacts(new Blob([card])), {
    source: 'phone',
    phoneNumbers: { region: 'GB' },
  })
  const { added } = await plan.apply()
  return added
}

/** Transfers the account to a device that stays offline and whose storage is a driver of the app. */
export async function takeAlong(kith: Kith<Card, Circle>, folder: string): Promise<number> {
  const copy = await openKith({
    ...{ url: 'ws://127.0.0.1:9', user: kith.user, token: () => 'none', connect: false },
    storage: { ...sqliteOn(driver(folder)), findWebSocket: async () => (await import('ws')).WebSocket as never },
  })
  const { contacts } = await importAccount(copy, await exportAccount(kith))
  await copy.close()
  return contacts
}

/** Returns the error code of a closed client. */
export async function codeAfterClose(kith: Kith<Card, Circle>): Promise<string> {
  await kith.close()
  try {
    await kith.getContacts()
  } catch (error) {
    if (error instanceof KithError) return error.code
  }
  return 'none'
}

function driver(folder: string): SqliteDriver {
  return {
    open(name) {
      const db = new Sqlite(join(folder, name))
      const execute = (sql: string, values: readonly SqliteValue[]): SqliteRow[] => {
        const statement = db.prepare<unknown[]>(sql)
        if (statement.reader) return statement.all(...values) as SqliteRow[]
        statement.run(...values)
        return []
      }
      return {
        run: execute,
        all: execute,
        close: () => db.close(),
      }
    },
    remove: () => undefined,
  }
}
