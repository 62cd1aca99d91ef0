import { readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Random } from './random.ts'

const sectorBytes = 512

/** Damages one file of a data folder, as a disk or a person may. Returns which file, and how. */
export function harm(random: Random, folder: string): string {
  // All files except LevelDB's lock and its readable log.
  const used = readdirSync(join(folder, 'store')).filter(name => !name.startsWith('LO'))
  const names = [...used.map(name => join('store', name)), 'acknowledged']
  const name = random.pick(names)
  const path = join(folder, name)
  const bytes = readFileSync(path)
  const how = random.weighted({ flip: 6, zero: 2, cut: 3, remove: 1 })
  // The end of a file often contains its most important data, so a part of the faults are near the end.
  const at = random.fraction() < 0.3 ? bytes.length - 1 - random.below(64) : random.below(bytes.length)
  if (how === 'remove') rmSync(path)
  else if (bytes.length === 0 || at < 0) return `${name}: nothing, it is too short`
  else if (how === 'cut') truncateSync(path, at)
  else {
    if (how === 'zero') bytes.fill(0, at, Math.min(bytes.length, at + sectorBytes))
    else bytes[at] = (bytes[at] as number) ^ (1 << random.below(8))
    writeFileSync(path, bytes)
  }
  return `${name}: ${how} at byte ${at} of ${bytes.length}`
}
