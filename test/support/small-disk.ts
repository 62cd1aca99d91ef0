import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from 'vitest'

/** A disk in memory that lasts until the tests of the file have run. */
export interface SmallDisk {
  folder: string
  /** Writes to a file until the disk is full. */
  fill(): Promise<string>
  makeReadOnly(): void
}

/** Returns `undefined` if this process may not mount a disk. */
export function smallDisk(kilobytes: number): SmallDisk | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'kith-disk-'))
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${kilobytes}k`, 'tmpfs', folder], { stdio: 'ignore' })
  } catch {
    rmSync(folder, { recursive: true })
    return undefined
  }
  afterAll(() => {
    execFileSync('umount', [folder])
    rmSync(folder, { recursive: true })
  })
  return {
    folder,
    async fill() {
      const file = join(folder, 'filler')
      await fillWith(file)
      return file
    },
    makeReadOnly: () => void execFileSync('mount', ['-o', 'remount,ro', folder]),
  }
}

async function fillWith(file: string): Promise<void> {
  const handle = await open(file, 'w')
  try {
    for (const size of [65_536, 4096, 1]) {
      const chunk = Buffer.alloc(size, 1)
      while (await isTaken(handle.write(chunk)));
    }
  } finally {
    await handle.close()
  }
}

function isTaken(write: Promise<unknown>): Promise<boolean> {
  return write.then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOSPC') throw error
      return false
    },
  )
}
