import { parseArgs } from 'node:util'
import { systemClock } from '../clock.ts'
import { type Environment, SettingsError } from '../environment.ts'
import { readDatabase } from '../settings.ts'
import { orExplain } from '../store/level/backup/or-explain.ts'
import { restore } from '../store/level/backup/restore.ts'
import { tablesCopied } from './backup.ts'
import { tellMigration } from './migration-progress.ts'

/** Creates a data folder from a backup. Prints what is shown from then on. */
export async function runRestore(args: readonly string[], env: Environment): Promise<number> {
  if (readDatabase(env)) {
    throw new SettingsError('with KITH_DATABASE_URL the state is in PostgreSQL: restore it there, see docs/CLUSTER.md')
  }
  const { backup, folder, isTrusted } = readOptions(args)
  const progress = { onProgress: tablesCopied, onMigration: tellMigration }
  const withheld = await orExplain(`${backup} was not restored to ${folder}`, () =>
    restore(backup, folder, { nowMs: systemClock.now(), isTrusted, ...progress }),
  )
  process.stdout.write(`restored to ${folder}\n`)
  if (withheld > 0) {
    const whose = withheld === 1 ? '1 user is' : `${withheld} users are`
    process.stdout.write(`${whose} shown to nobody until a device of theirs has connected: see docs/OPERATIONS.md\n`)
  }
  return 0
}

function readOptions(args: readonly string[]): { backup: string; folder: string; isTrusted: boolean } {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      options: { data: { type: 'string', default: './data' }, trust: { type: 'boolean', default: false } },
      allowPositionals: true,
    })
    const [backup] = positionals
    if (!backup || positionals.length !== 1) throw new Error('name one backup')
    if (values.data === '') throw new Error('--data must name a folder')
    return { backup, folder: values.data, isTrusted: values.trust }
  } catch (error) {
    throw new SettingsError(error instanceof Error ? error.message : String(error), { cause: error })
  }
}
