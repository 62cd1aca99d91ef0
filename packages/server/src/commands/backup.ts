import { parseArgs } from 'node:util'
import { systemClock } from '../clock.ts'
import { type Environment, SettingsError } from '../environment.ts'
import { readDatabase } from '../settings.ts'
import { addBackup } from '../store/level/backup/generations.ts'
import { orExplain } from '../store/level/backup/or-explain.ts'

const tablesOfProgress = 100

/** Prints from time to time how many tables have been copied. */
export function tablesCopied(done: number, of: number): void {
  if (done % tablesOfProgress === 0) process.stderr.write(`${done} of ${of} tables copied\n`)
}

/** Copies a data folder, even while a server uses it, into a folder of backups. Prints the path of the new one. */
export async function runBackup(args: readonly string[], env: Environment): Promise<number> {
  if (readDatabase(env)) {
    throw new SettingsError('with KITH_DATABASE_URL the state is in PostgreSQL: use pg_basebackup, see docs/CLUSTER.md')
  }
  const { folder, backups, keep } = readOptions(args)
  const reports = { onProgress: tablesCopied, warn: printWarning }
  const made = await orExplain(`no backup of ${folder} was made in ${backups}`, () =>
    addBackup(folder, backups, { nowMs: systemClock.now(), keep, ...reports }),
  )
  process.stdout.write(`${made}\n`)
  return 0
}

function printWarning(what: string): void {
  process.stderr.write(`warning: ${what}\n`)
}

function readOptions(args: readonly string[]): { folder: string; backups: string; keep: number | undefined } {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      options: { data: { type: 'string', default: './data' }, keep: { type: 'string' } },
      allowPositionals: true,
    })
    const [backups] = positionals
    if (!backups || positionals.length !== 1) throw new Error('name one folder for the backups')
    const keep = values.keep === undefined ? undefined : Number(values.keep)
    if (keep !== undefined && !(Number.isInteger(keep) && keep > 0)) throw new Error('--keep takes a number from 1 on')
    return { folder: values.data, backups, keep }
  } catch (error) {
    throw new SettingsError(error instanceof Error ? error.message : String(error), { cause: error })
  }
}
