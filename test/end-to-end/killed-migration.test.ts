import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { TestClock } from '@kith/server/testing'
import { Level } from 'level'
import { expect, onTestFinished, test } from 'vitest'
import { encodeUser, keys, newUser, ranges, storeOn } from '../support/server-internals.ts'
import { limitsWith, temporaryFolder } from '../support/stores.ts'

const users = 12_345
const inBatch = 1_000

const built = (file: string): string => new URL(`../../packages/server/dist/store/level/${file}`, import.meta.url).href

/** Migrates a database to a later format, which appends a mark to each user's record. Waits for a byte after each batch. */
const program = `
import { readSync, writeSync } from 'node:fs'
import { Level } from 'level'
import { formats } from ${JSON.stringify(built('format/formats.js'))}
import { prepareDatabase } from ${JSON.stringify(built('format/prepare.js'))}
import { ranges } from ${JSON.stringify(built('keys.js'))}

const database = new Level(process.argv[1], { keyEncoding: 'utf8', valueEncoding: 'view' })
await database.open()
const rewrite = (key, value) => [{ type: 'put', key, value: Uint8Array.of(...value, 32) }]
const number = formats.length + 1
await prepareDatabase(database, 'the folder', {
  formats: [...formats, { number, minReader: number, migration: { range: ranges.users, rewrite } }],
  onProgress: (_, records) => {
    writeSync(1, records + '\\n')
    readSync(0, Buffer.alloc(1))
  },
})
await database.close()
writeSync(1, 'done\\n')
`

interface Migrating {
  child: ChildProcess
  lines: AsyncIterator<string>
  kill(): Promise<void>
}

function migrating(path: string): Migrating {
  const child = spawn(process.execPath, ['--input-type=module', '--eval', program, path], {
    cwd: fileURLToPath(new URL('..', import.meta.url)),
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const closed = once(child, 'close')
  const kill = async (): Promise<void> => {
    child.kill('SIGKILL')
    await closed
  }
  onTestFinished(kill)
  // A byte may arrive after the process has ended.
  child.stdin.on('error', () => undefined)
  return { child, lines: createInterface(child.stdout)[Symbol.asyncIterator](), kill }
}

test('[D4] a migration whose process is killed between and within its batches goes on at the next start, and rewrites each record once', async () => {
  const path = join(await temporaryFolder(), 'store')
  const open = async (): Promise<Level<string, Uint8Array>> => {
    const level = new Level<string, Uint8Array>(path, { keyEncoding: 'utf8', valueEncoding: 'view' })
    await level.open()
    return level
  }
  const before = await open()
  const store = await storeOn(before as never, { limits: limitsWith(), clock: new TestClock() })
  const batch = Array.from({ length: users }, (_, index) => ({
    ...{ type: 'put' as const, key: keys.user(`user ${index}`) },
    value: encodeUser(newUser()),
  }))
  await before.batch(batch)
  await store.close()

  let kills = 0
  for (let isDone = false; !isDone; kills++) {
    const { child, lines, kill } = migrating(path)
    // Its first line says that it has begun, the second that a batch is on the disk.
    expect((await lines.next()).value).toBe('0')
    child.stdin?.write('.')
    const { value } = await lines.next()
    isDone = value !== String(inBatch)
    if (isDone)
      for (let line: unknown = value; line !== 'done'; line = (await lines.next()).value) child.stdin?.write('.')
    // Every second time it may first continue, so that it is killed somewhere in the next batch.
    else if (kills % 2 === 1) child.stdin?.write('.')
    await kill()
  }
  expect(kills).toBeGreaterThan(4)

  const after = await open()
  const records = await after.values(ranges.users).all()
  const marked = Buffer.from([...encodeUser(newUser()), 32])
  expect(records).toHaveLength(users)
  expect(records.filter(record => Buffer.compare(record, marked) !== 0)).toEqual([])
  expect(await after.get(keys.migrating)).toBe(undefined)
  await after.close()
})
