import type { Environment } from '../environment.ts'
import type { CheckReport } from '../relations/check/checked-store.ts'
import { type DatabaseSettings, readDatabase } from '../settings.ts'
import { check } from '../store/level/check.ts'
import { DamagedFolderError, openLevelDatabase } from '../store/level/open.ts'
import { expectNoData, readDataOption } from './data-option.ts'
import { tellMigration } from './migration-progress.ts'

const mostPrinted = 100

const whatToDo = `Keep a copy of the folder as it is, and look after the disk.
Restore the folder from a backup; or, if there is none, take "store" and "acknowledged" out of it, and leave the rest: the
server then starts empty. Either way devices bring back their users' contacts, grants and profiles when they connect, and
pairs, restrictions, revoked tokens and erased accounts are for your backend to say again. More in docs/OPERATIONS.md.
`

const whatToDoWithDatabase = `Take a backup of the database as it is, and look after its disks and its version of PostgreSQL.
Restore it from a backup that has none of this (docs/OPERATIONS.md).
`

const onProgress = (users: number): void => void process.stderr.write(`${users} users checked\n`)

/**
 * Verifies a data folder that no server uses, or a database, even while nodes use it. Exit code 0: no errors; 1: errors. Prints
 * what is wrong, what is lost, and what to do.
 */
export async function runCheck(args: readonly string[], env: Environment): Promise<number> {
  const database = readDatabase(env)
  if (database) {
    expectNoData(args)
    return checkDatabase(database)
  }
  const { folder } = readDataOption(args, 0)
  try {
    return await checkFolder(folder)
  } catch (error) {
    if (!(error instanceof DamagedFolderError)) throw error
    for (const { file, what, lost } of error.damages.slice(0, mostPrinted)) {
      process.stdout.write(`${file} ${what}\n  lost: ${lost}\n`)
    }
    process.stdout.write(`files are damaged (${error.damages.length}), so nothing else was looked at\n${whatToDo}`)
    return 1
  }
}

async function checkFolder(folder: string): Promise<number> {
  const database = await openLevelDatabase(folder, true, tellMigration)
  try {
    const report = await check(database, onProgress)
    const differences = print(report)
    if (differences > 0) process.stdout.write(whatToDo)
    return differences === 0 ? 0 : 1
  } finally {
    await database.close()
  }
}

async function checkDatabase({ url, prepares }: DatabaseSettings): Promise<number> {
  const [postgres, { withDatabase }] = await Promise.all([
    import('../store/postgres/check.ts'),
    import('../store/postgres/maintenance.ts'),
  ])
  const report = await withDatabase(url, prepares, database => postgres.checkDatabase(database, onProgress))
  for (const fault of report.faults.slice(0, mostPrinted)) process.stdout.write(`${fault}\n`)
  const differences = print(report) + report.faults.length
  if (differences > 0) process.stdout.write(whatToDoWithDatabase)
  return differences === 0 ? 0 : 1
}

/** Returns the number of differences. */
function print({ users, relations, leftovers, findings }: CheckReport): number {
  for (const { user, what } of findings.slice(0, mostPrinted)) {
    process.stdout.write(`${JSON.stringify(user)}: ${what}\n`)
  }
  const { lookups, days, changes, logs, declined, users: blank, tokens } = leftovers
  if (leftovers.relations + lookups + days + changes > 0) {
    process.stdout.write(
      `no device needs ${leftovers.relations} of the relations, ${lookups} look-ups, ${days} days and ${changes} changes any more: a server removes such records once a day\n`,
    )
  }
  if (logs > 0) process.stdout.write(`${logs} documents have a log that is folded at their next change\n`)
  if (declined > 0)
    process.stdout.write(`${declined} declined users are forgotten when their roster is next refounded\n`)
  if (blank > 0)
    process.stdout.write(`${blank} records of users hold nothing: a server removes such records once a day\n`)
  if (tokens > 0) process.stdout.write(`${tokens} revocations are kept of users without a record\n`)
  process.stdout.write(`${users} users, ${relations} relations, ${findings.length} differences\n`)
  return findings.length
}
