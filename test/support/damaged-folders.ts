import { cp, mkdtemp, readdir, readFile, rm, truncate, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openLevelStore, systemClock } from '@kith/server'
import { defaultLimits, grantKey, profileKey, profileRoot } from '@kith/shared'
import { afterAll, onTestFinished } from 'vitest'
import { accountsOver } from './account-world.ts'

/**
 * A table's footer has 48 bytes. The checksum of the index precedes it. LevelDB does not check this checksum, and continues to
 * read.
 */
export const indexChecksum = -49

/** A data folder, and methods that damage it. */
export class Harmed {
  readonly folder: string

  constructor(folder: string) {
    this.folder = folder
  }

  /** Returns the only file in use whose name ends with `ending`, such as `.ldb`. If there are several, returns the last. */
  async file(ending: string): Promise<string> {
    const inUse = (await readdir(join(this.folder, 'store'))).filter(name => name.includes(ending)).sort()
    return join('store', inUse.at(-1) as string)
  }

  async read(file: string): Promise<Buffer> {
    return readFile(join(this.folder, file))
  }

  async flip(file: string, at: number, mask = 0x10): Promise<void> {
    const bytes = await this.read(file)
    bytes[at] = (bytes[at] as number) ^ mask
    await this.write(file, bytes)
  }

  async write(file: string, bytes: Uint8Array | string): Promise<void> {
    await writeFile(join(this.folder, file), bytes)
  }

  async cut(file: string, bytes: number): Promise<void> {
    await truncate(join(this.folder, file), bytes)
  }

  async remove(file: string): Promise<void> {
    await rm(join(this.folder, file), { recursive: true })
  }

  /**
   * Damages a table while a server has it open, in a part that LevelDB does not check. The table is due for verification,
   * because its time has changed. Returns the table.
   */
  async decay(): Promise<string> {
    const table = await this.file('.ldb')
    await this.flip(table, (await this.read(table)).length + indexChecksum)
    await utimes(join(this.folder, table), 2_000_000, 2_000_000)
    return table
  }

  async copy(): Promise<Harmed> {
    const folder = await temporaryFolder()
    await cp(this.folder, folder, { recursive: true })
    return new Harmed(folder)
  }
}

let made: Promise<Harmed> | undefined

/**
 * The data folder of Alice and Bob, deleted when the test ends. Alice's data is in a table and Bob's in the log, as after a
 * restart.
 */
export async function folderOfTwo(): Promise<Harmed> {
  made ??= makeFolder()
  return (await made).copy()
}

afterAll(async () => {
  if (made) await rm((await made).folder, { recursive: true, force: true })
})

async function makeFolder(): Promise<Harmed> {
  const folder = await mkdtemp(join(tmpdir(), 'kith-test-'))
  for (const half of [0, 1]) {
    const store = await openLevelStore(folder, { limits: defaultLimits, clock: systemClock })
    const { accounts, device } = accountsOver(store, systemClock)
    const user = device(half === 0 ? 'alice' : 'bob')
    user.connect()
    for (let index = 0; index < 30; index++) {
      user.edit([
        { root: 'contacts', key: `friend-${half}-${index}`, value: true },
        { root: 'grants', key: grantKey(2, `friend-${half}-${index}`), value: true },
        { root: profileRoot, key: profileKey(2, 'writer-one', `field-${index}`), value: `value ${index}` },
      ])
      await accounts.idle()
    }
    await store.close()
  }
  return new Harmed(folder)
}

async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'kith-test-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return folder
}
