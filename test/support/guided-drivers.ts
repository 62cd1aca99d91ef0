import { readFile } from 'node:fs/promises'
import { type SqliteDriver, sqliteOn } from '@kith/client/sqlite-driver'
import { expoSqliteIn, opSqliteIn } from './sqlite-drivers.ts'

/** The driver that the guide to React Native builds on a library. Here, better-sqlite3 implements the calls of this library. */
export async function guidedDriver(library: 'expo-sqlite' | 'op-sqlite', folder: string): Promise<SqliteDriver> {
  const guide = await readFile(new URL('../../docs/guides/react-native.md', import.meta.url), 'utf8')
  const code = new RegExp(`## ${library}\\n\\n\`\`\`ts\\n(.+?)\`\`\``, 's').exec(guide)?.[1] ?? ''
  const body = code.replace(/^import .*$/gm, '').replace(/^const kith = .*$/m, '')
  let driver: SqliteDriver | undefined
  const noted = (made: SqliteDriver): unknown => {
    driver = made
    return sqliteOn(made)
  }
  new Function('sqliteOn', 'SQLite', 'open', body)(noted, expoSqliteIn(folder), opSqliteIn(folder).open)
  if (!driver) throw new Error(`The guide has no adapter of ${library}`)
  return driver
}
