import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { keys } from '../keys.ts'
import { decodeNumber } from '../record-codec.ts'
import { readLog } from './log-file.ts'
import type { Version } from './manifest.ts'
import { decodeWriteBatch } from './write-batch.ts'

/** Data in a data folder that differs from what was written there. */
export interface Damage {
  /** The path within the folder. */
  file: string
  what: string
  /** The data that cannot be read because of it, as far as that is known. */
  lost: string
}

/**
 * Reads the logs in the same way as LevelDB's recovery, as one sequence of writes. Each write was synced before the next one
 * began. So an incomplete write with another one after it is damage. An incomplete write at the very end is the result of a
 * crash, and was never acknowledged, unless more was acknowledged than is there.
 */
export async function damagesOfLogs(
  store: string,
  names: readonly string[],
  { logNumber, lastSequence }: Version,
  acknowledged: number,
): Promise<Damage[]> {
  const logs = names.filter(name => name.endsWith('.log') && Number.parseInt(name, 10) >= logNumber).sort()
  const current = `${String(logNumber).padStart(6, '0')}.log`
  if (logNumber > 0 && !logs.includes(current)) {
    return [{ file: `store/${current}`, what: 'is missing', lost: 'the latest changes, of any users' }]
  }
  const damages: Damage[] = []
  let position: number | undefined
  let next: number | undefined
  let gap: { file: string; what: string } | undefined
  for (const name of logs) {
    const file = `store/${name}`
    for (const entry of readLog(await readFile(join(store, name)))) {
      const what = `is damaged at byte ${entry.at}`
      if (entry.state !== 'whole') {
        gap ??= { file, what }
        continue
      }
      const { sequence, count, puts } = decodeWriteBatch(entry.bytes)
      if (next === undefined ? sequence > lastSequence + 1 : sequence !== next) gap ??= { file, what }
      const bytes = puts.get(keys.position)
      const after = bytes && decodeNumber(bytes)
      if (gap) damages.push({ ...gap, lost: changes(position, after) })
      gap = undefined
      next = sequence + count
      position = after ?? position
    }
  }
  if (position !== undefined && position < acknowledged) {
    const end = gap ?? { file: `store/${logs.at(-1)}`, what: 'ends too early' }
    damages.push({ ...end, lost: `the changes ${position + 1} to ${acknowledged}, which had been answered` })
  }
  return damages
}

/** Several changes may share one write, so the end of the lost changes is known only roughly. */
function changes(before: number | undefined, after: number | undefined): string {
  const from = before === undefined ? 'the last that the tables hold' : before
  return `some of the changes ${after === undefined ? `after ${from}` : `between ${from} and ${after}`}`
}
