import { check } from '../store/check.ts'
import { openLevelDatabase } from '../store/open.ts'
import { readDataOption } from './data-option.ts'

const mostPrinted = 100

/** Verifies a data folder that no server uses. 0: all is well; 1: it is not, with what is wrong. */
export async function runCheck(args: readonly string[]): Promise<number> {
  const { folder } = readDataOption(args, 0)
  const database = await openLevelDatabase(folder, true)
  try {
    const report = await check(database, users => process.stderr.write(`${users} users checked\n`))
    for (const { user, what } of report.findings.slice(0, mostPrinted)) {
      process.stdout.write(`${JSON.stringify(user)}: ${what}\n`)
    }
    const { users, relations, findings } = report
    process.stdout.write(`${users} users, ${relations} relations, ${findings.length} differences\n`)
    if (findings.length > 0) {
      process.stdout.write('Restore the folder from a backup; devices bring back what they hold when they connect.\n')
    }
    return findings.length === 0 ? 0 : 1
  } finally {
    await database.close()
  }
}
