import type * as Files from 'node:fs/promises'
import { readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { openLevelStore, systemClock } from '@kith/server'
import { defaultLimits } from '@kith/shared'
import { expect, test, vi } from 'vitest'
import { folderOfTwo } from '../support/damaged-folders.ts'
import { addBackup, restore } from '../support/server-internals.ts'
import { temporaryFolder } from '../support/stores.ts'

/** After this number of renamed files, the process counts as killed: the next one is not renamed, and nothing follows. */
let mostRenamed = Number.POSITIVE_INFINITY

vi.mock('node:fs/promises', async original => {
  const files = await original<typeof Files>()
  return {
    ...files,
    rename: async (from: string, to: string) => {
      if (mostRenamed-- <= 0) throw new Error('killed')
      return files.rename(from, to)
    },
  }
})

/** How many files a restore has moved when it is killed, and the names that are there. */
const states: [moved: number, names: string[]][] = [
  [0, ['restoring']],
  [1, ['acknowledged', 'restoring']],
  [2, ['acknowledged', 'admin-key', 'restoring']],
]

test.each(states)(
  '[D2] a folder whose restore was killed after %i files were moved is not served',
  async (moved, names) => {
    const [{ folder }, target] = [await folderOfTwo(), await temporaryFolder()]
    await writeFile(join(folder, 'admin-key'), 'the key')
    const backup = await addBackup(folder, await temporaryFolder(), { nowMs: 1 })
    mostRenamed = moved
    await expect(restore(backup, target, { nowMs: 1, isTrusted: true })).rejects.toThrow('killed')
    mostRenamed = Number.POSITIVE_INFINITY
    expect((await readdir(target)).sort()).toEqual(names)
    const opened = openLevelStore(target, { limits: defaultLimits, clock: systemClock })
    await expect(opened).rejects.toThrow(/a restore to .* has not ended/)
  },
)
