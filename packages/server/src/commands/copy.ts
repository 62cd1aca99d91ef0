import { type Environment, SettingsError } from '../environment.ts'
import { readDatabase } from '../settings.ts'
import { openLevelDatabase } from '../store/level/open.ts'
import { readDataOption } from './data-option.ts'
import { tellMigration } from './migration-progress.ts'

/** Copies a data folder that no server uses into the database of KITH_DATABASE_URL, which must be empty. */
export async function runCopy(args: readonly string[], env: Environment): Promise<number> {
  const { folder } = readDataOption(args, 0)
  const settings = readDatabase(env)
  if (!settings) throw new SettingsError('set KITH_DATABASE_URL to the database that the folder is to be copied to')
  const [{ copy }, { withDatabase }, { checkDatabase }] = await Promise.all([
    import('../store/copy/copy.ts'),
    import('../store/postgres/maintenance.ts'),
    import('../store/postgres/check.ts'),
  ])
  const source = await openLevelDatabase(folder, true, tellMigration)
  const say = (text: string): void => void process.stderr.write(`${text}\n`)
  try {
    return await withDatabase(settings.url, settings.prepares, async database => {
      const { entries, isResumed } = await copy(source, database, {
        copied: count => say(`${count} records copied`),
        compared: count => say(`${count} records compared`),
      })
      const report = await checkDatabase(database, count => say(`${count} users checked`))
      const rest = isResumed ? ' that were left from an earlier try' : ''
      process.stdout.write(`copied ${entries} records${rest}; each is in the database as it is in the folder\n`)
      if (report.findings.length === 0) return 0
      process.stdout.write(`${report.findings.length} differences within the records, as in the folder: run check\n`)
      return 1
    })
  } finally {
    await source.close()
  }
}
