import { compact } from '../store/level/compact.ts'
import { openLevelDatabase } from '../store/level/open.ts'
import { readDataOption } from './data-option.ts'

/** Rewrites a data folder that no server uses, so that nothing erased is left in it. */
export async function runCompact(args: readonly string[]): Promise<number> {
  const { folder } = readDataOption(args, 0)
  const database = await openLevelDatabase(folder, true)
  try {
    const { documents } = await compact(database, count => process.stderr.write(`${count} documents folded\n`))
    process.stdout.write(`compacted ${documents} document${documents === 1 ? '' : 's'}\n`)
    return 0
  } finally {
    await database.close()
  }
}
