import { parseArgs } from 'node:util'
import { SettingsError } from '../environment.ts'

/** Reads the folder of `--data` and the other arguments of the command line. Throws {@link SettingsError}. */
export function readDataOption(args: readonly string[], words: number): { folder: string; positionals: string[] } {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      options: { data: { type: 'string', default: './data' } },
      allowPositionals: true,
    })
    if (positionals.length !== words) {
      throw new Error(words === 0 ? `unexpected ${JSON.stringify(positionals[0])}` : 'name one user')
    }
    if (values.data === '') throw new Error('--data must name a folder')
    return { folder: values.data, positionals }
  } catch (error) {
    throw new SettingsError(error instanceof Error ? error.message : String(error), { cause: error })
  }
}

/** If a database is used, a command has no data folder. Throws {@link SettingsError}. */
export function expectNoData(args: readonly string[]): void {
  if (args.length > 0) throw new SettingsError('with KITH_DATABASE_URL the command takes no --data and nothing else')
}
