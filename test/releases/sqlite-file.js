import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import Sqlite from 'better-sqlite3'

/** The only device file in a folder, as its name, its layout, and its tables with their rows. */
export function dumpSqlite(folder) {
  const [file, ...more] = readdirSync(folder).filter(name => !name.includes('kith-visits'))
  if (!file || more.length > 0) throw new Error(`${folder} does not have exactly one device, or the device is open`)
  const db = new Sqlite(join(folder, file), { readonly: true })
  const made = db.prepare("SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY type = 'index'").all()
  const tables = made.filter(({ type }) => type === 'table').map(({ name }) => name)
  const dump = {
    file,
    layout: db.pragma('user_version', { simple: true }),
    statements: made.map(({ sql }) => sql),
    tables: Object.fromEntries(tables.map(name => [name, db.prepare(`SELECT * FROM ${name}`).all()])),
  }
  db.close()
  return dump
}

/** Makes the file in a folder again. */
export function restoreSqlite(folder, { file, layout, statements, tables }) {
  const db = new Sqlite(join(folder, file))
  for (const statement of statements) db.prepare(statement).run()
  for (const [name, rows] of Object.entries(tables)) {
    for (const row of rows) {
      const columns = Object.keys(row)
      const places = columns.map(() => '?').join(', ')
      db.prepare(`INSERT INTO ${name} (${columns.join(', ')}) VALUES (${places})`).run(...Object.values(row))
    }
  }
  db.pragma(`user_version = ${layout}`)
  db.close()
}
