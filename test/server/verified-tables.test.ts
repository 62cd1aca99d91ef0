import { readFile, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import { type Damage, DamagedFolderError, openLevelDatabase, openLevelStore } from '@kith/server'
import { TestClock } from '@kith/server/testing'
import { defaultLimits } from '@kith/shared'
import { expect, onTestFinished, test, vi } from 'vitest'
import { folderOfTwo, type Harmed, indexChecksum } from '../support/damaged-folders.ts'
import { Scrubbing } from '../support/server-internals.ts'

const hourMs = 3_600_000

async function start({ folder }: Harmed, clock: TestClock): Promise<void> {
  const store = await openLevelStore(folder, { limits: defaultLimits, clock })
  await store.close()
}

/** Damages a file as a failing disk does: its metadata do not change. */
async function decay(harmed: Harmed, table: string): Promise<void> {
  await harmed.flip(table, (await harmed.read(table)).length + indexChecksum)
  await date(harmed, table)
}

/** Sets a time that the file system represents exactly. */
async function date({ folder }: Harmed, table: string): Promise<void> {
  await utimes(join(folder, table), 1_000_000, 1_000_000)
}

async function startedFolder(clock: TestClock): Promise<{ harmed: Harmed; table: string }> {
  const harmed = await folderOfTwo()
  const table = await harmed.file('.ldb')
  await date(harmed, table)
  await start(harmed, clock)
  return { harmed, table }
}

test('[D2][D4] a start reads no table that was found whole within two days, and every other one', async () => {
  const clock = new TestClock()
  const { harmed, table } = await startedFolder(clock)
  await decay(harmed, table)
  await start(harmed, clock)
  clock.move(48 * hourMs + 1)
  await expect(start(harmed, clock)).rejects.toThrow(DamagedFolderError)
})

test('[D2][D4] a table that was written to, copied, or verified by a clock that is ahead counts as never verified', async () => {
  const clock = new TestClock()
  const { harmed, table } = await startedFolder(clock)
  const written = await harmed.copy()
  await decay(harmed, table)
  await expect(start(await harmed.copy(), clock)).rejects.toThrow(DamagedFolderError)
  await expect(start(harmed, new TestClock(clock.now() - 1))).rejects.toThrow(DamagedFolderError)
  await start(written, clock)
  await written.flip(table, 700)
  await expect(start(written, clock)).rejects.toThrow(DamagedFolderError)
})

test('[D2][D4] a damaged note of what was verified says nothing', async () => {
  const clock = new TestClock()
  const { harmed, table } = await startedFolder(clock)
  await decay(harmed, table)
  await harmed.flip('verified', 3)
  await expect(start(harmed, clock)).rejects.toThrow(DamagedFolderError)
})

test.runIf(process.platform === 'linux')(
  '[D2][D4] what is noted of a table counts until the machine starts anew',
  async () => {
    const { harmed } = await startedFolder(new TestClock())
    const boot = (await readFile('/proc/sys/kernel/random/boot_id', 'latin1')).trim()
    const [first] = (await readFile(join(harmed.folder, 'verified'), 'latin1')).split('\n')
    expect(first).toContain(` ${boot}:`)
  },
)

test('[D2][D4] check reads every table, whatever was found before', async () => {
  const clock = new TestClock()
  const { harmed, table } = await startedFolder(clock)
  await decay(harmed, table)
  await expect(openLevelDatabase(harmed.folder, true)).rejects.toThrow(/\.ldb is damaged at byte/)
})

/** A server's checks of its tables, hour by hour. */
function scrub({ folder }: Harmed, clock: TestClock): { found: Damage[]; hours(count: number): Promise<void> } {
  const found: Damage[] = []
  const scrubbing = Scrubbing.begin(folder, { clock, found: damages => void found.push(...damages) })
  onTestFinished(() => scrubbing.close())
  return {
    found,
    async hours(count) {
      for (let hour = 0; hour < count; hour++) {
        clock.move(hourMs)
        // The files are real, and so is the time that the disk takes.
        await new Promise(resolve => setTimeout(resolve, 20))
      }
    },
  }
}

test('[D2][D4] a running server finds a damaged table within a day, and the next start refuses the folder', async () => {
  const clock = new TestClock()
  const { harmed, table } = await startedFolder(clock)
  const { found, hours } = scrub(harmed, clock)
  await hours(3)
  await decay(harmed, table)
  await hours(12)
  expect(found).toEqual([])
  await hours(16)
  await vi.waitFor(() => expect(found).toMatchObject([{ file: table }]))
  await expect(start(harmed, clock)).rejects.toThrow(DamagedFolderError)
})

test('[D2][D4] what a running server has verified, a start relies on', async () => {
  const clock = new TestClock()
  const { harmed, table } = await startedFolder(clock)
  const { found, hours } = scrub(harmed, clock)
  await hours(60)
  await decay(harmed, table)
  await start(harmed, clock)
  expect(found).toEqual([])
})
