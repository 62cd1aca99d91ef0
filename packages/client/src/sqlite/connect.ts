import type { SqliteConnection, SqliteDriver } from './driver.ts'
import { sqliteFailure } from './failure.ts'

/** Opens a connection whose errors are KithErrors that name the database. */
export async function connect(driver: SqliteDriver, file: string, name: string): Promise<SqliteConnection> {
  const attempt = async <T>(call: () => T | PromiseLike<T>): Promise<T> => {
    try {
      return await call()
    } catch (error) {
      throw sqliteFailure(error, name)
    }
  }
  const connection = await attempt(() => driver.open(file))
  return {
    run: (sql, values) => attempt(() => connection.run(sql, values)),
    all: (sql, values) => attempt(() => connection.all(sql, values)),
    close: () => attempt(() => connection.close()),
  }
}
