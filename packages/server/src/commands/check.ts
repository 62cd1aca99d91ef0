import { check } from '../store/level/check.ts'
import { DamagedFolderError, openLevelDatabase } from '../store/level/open.ts'
import { readDataOption } from './data-option.ts'

const mostPrinted = 100

const whatToDo = `Keep a copy of the folder as it is, and look after the disk.
Restore the folder from a backup; or, if there is none, take "store" and "acknowledged" out of it, and leave the rest: the
server then starts empty. Either way devices bring back their users' contacts, grants and profiles when they connect, and
pairs, restrictions, revoked tokens and erased accounts are for your backend to say again. More in docs/OPERATIONS.md.
`

/** Verifies a data folder that no server uses. 0: all is well; 1: it is not, with what is wrong, lost, and to be done. */
export async function runCheck(args: readonly string[]): Promise<number> {
  const { folder } = readDataOption(args, 0)
  try {
    return await checkDatabase(folder)
  } catch (error) {
    if (!(error instanceof DamagedFolderError)) throw error
    for (const { file, what, lost } of error.damages.slice(0, mostPrinted)) {
      process.stdout.write(`${file} ${what}\n  lost: ${lost}\n`)
    }
    process.stdout.write(`files are damaged (${error.damages.length}), so nothing else was looked at\n${whatToDo}`)
    return 1
  }
}

async function checkDatabase(folder: string): Promise<number> {
  const database = await openLevelDatabase(folder, true)
  try {
    const report = await check(database, users => process.stderr.write(`${users} users checked\n`))
    for (const { user, what } of report.findings.slice(0, mostPrinted)) {
      process.stdout.write(`${JSON.stringify(user)}: ${what}\n`)
    }
    const { users, relations, findings } = report
    process.stdout.write(`${users} users, ${relations} relations, ${findings.length} differences\n`)
    if (findings.length > 0) process.stdout.write(whatToDo)
    return findings.length === 0 ? 0 : 1
  } finally {
    await database.close()
  }
}
