import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { check, DamagedFolderError, openLevelDatabase, openLevelStore, type Store, systemClock } from '@kith/server'
import { defaultLimits } from '@kith/shared'
import * as decoding from 'lib0/decoding'
import { expect, onTestFinished, test, vi } from 'vitest'
import { type ServerProcess, serverProgram, startServerProcess } from '../../bench/src/server-process.ts'
import { folderOfTwo, Harmed } from '../support/damaged-folders.ts'
import { openDevice, settle } from '../support/process-devices.ts'
import { findDamage, readLog } from '../support/server-internals.ts'

vi.setConfig({ testTimeout: 60_000 })

const options = { limits: defaultLimits, clock: systemClock }

/** The error with which the store refuses to open the folder: the damaged file, the damage and the loss. */
async function refusal({ folder }: Harmed): Promise<string> {
  const error = await openLevelStore(folder, options).catch((error: unknown) => error)
  expect(error).toBeInstanceOf(DamagedFolderError)
  const [damage] = (error as DamagedFolderError).damages
  return `${damage?.file} ${damage?.what}; lost: ${damage?.lost}`
}

async function expectWhole({ folder }: Harmed): Promise<void> {
  expect(await findDamage(folder)).toEqual([])
  const database = await openLevelDatabase(folder, true)
  expect((await check(database)).findings).toEqual([])
  await database.close()
}

async function server(options: { folder: string; port?: number }): Promise<ServerProcess> {
  const process = await startServerProcess(options)
  onTestFinished(() => process.kill())
  return process
}

test.each<[string, (harmed: Harmed) => Promise<void>, RegExp]>([
  [
    'a byte flipped in the middle of the log, where LevelDB would drop changes in silence',
    async one => one.flip(await one.file('.log'), 3_000),
    /\.log is damaged at byte \d+; lost: some of the changes between \d+ and \d+/,
  ],
  [
    'a byte flipped in the last write of the log, which looks like a write that was never finished',
    async one => {
      const log = await one.file('.log')
      await one.flip(log, (await one.read(log)).length - 3)
    },
    /\.log is damaged at byte \d+; lost: the changes (\d+) to \d+, which had been answered/,
  ],
  [
    'the last byte cut off the log, which looks like a crash',
    async one => {
      const log = await one.file('.log')
      await one.cut(log, (await one.read(log)).length - 1)
    },
    /\.log is damaged at byte \d+; lost: the changes \d+ to \d+, which had been answered/,
  ],
  [
    'a whole write taken out of the log, which LevelDB does not miss',
    async one => {
      const log = await one.file('.log')
      const bytes = await one.read(log)
      const [from, to] = [...readLog(bytes)].slice(20).map(({ at }) => at)
      await one.write(log, Buffer.concat([bytes.subarray(0, from), bytes.subarray(to)]))
    },
    /\.log is damaged at byte \d+; lost: some of the changes between \d+ and \d+/,
  ],
  [
    'all of the log cut off',
    async one => one.cut(await one.file('.log'), 0),
    /^store ends at change \d+; lost: the changes \d+ to \d+, which had been answered/,
  ],
  [
    'a log that is missing',
    async one => one.remove(await one.file('.log')),
    /\.log is missing; lost: the latest changes/,
  ],
  [
    'a block of zeros in a table, which LevelDB reads without a look at its checksum',
    async one => {
      const table = await one.file('.ldb')
      const bytes = await one.read(table)
      await one.write(table, bytes.fill(0, 600, 700))
    },
    /\.ldb is damaged at byte \d+; lost: the records .*alice/,
  ],
  [
    'a table that was cut',
    async one => one.cut(await one.file('.ldb'), 1_000),
    /\.ldb has 1000 bytes, and had \d+; lost: the records with keys from "change 0+\d" to "user friend/,
  ],
  [
    'a table that is missing',
    async one => one.remove(await one.file('.ldb')),
    /\.ldb is missing; lost: the records with keys from/,
  ],
  [
    'a byte flipped in the manifest',
    async one => one.flip(await one.file('MANIFEST'), 20),
    /MANIFEST-\d+ is damaged at byte \d+; lost: everything/,
  ],
  [
    'a manifest that was cut',
    async one => one.cut(await one.file('MANIFEST'), 60),
    /MANIFEST-\d+ is damaged.*everything/,
  ],
  ['a manifest that is missing', async one => one.remove(await one.file('MANIFEST')), /MANIFEST-\d+ is missing/],
  ['a pointer to the manifest that is none', one => one.write('store/CURRENT', 'MANIFEST\n'), /CURRENT is damaged/],
  [
    'a missing pointer to the manifest, over which LevelDB would make a new database',
    one => one.remove('store/CURRENT'),
    /CURRENT is missing; lost: everything/,
  ],
  ['a store that is missing', one => one.remove('store'), /store.CURRENT is missing; lost: everything/],
  [
    'a store of an older day under what was answered since',
    async one => {
      const older = await one.copy()
      const store = await openLevelStore(one.folder, options)
      const { position } = await store.commit({ type: 'user', user: 'carol' })
      await store.close()
      await one.remove('store')
      await rename(join(older.folder, 'store'), join(one.folder, 'store'))
      expect(position).toBeGreaterThan(60)
    },
    /\.log ends too early; lost: the changes (\d+) to \1, which had been answered/,
  ],
  ['a witness that is none', one => one.flip('acknowledged', 12), /acknowledged is damaged; lost: nothing by itself/],
])('[D2][D4] a damaged folder is not served, and the damage and the loss are named: %s', async (_, harm, what) => {
  const harmed = await folderOfTwo()
  await expectWhole(await harmed.copy())
  await harm(harmed)
  expect(await refusal(harmed)).toMatch(what)
  // Repeated: neither checking it nor trying to serve it makes anything seem intact.
  expect(await refusal(harmed)).toMatch(/lost/)
})

test('[D2][D4] a flipped byte or a cut of any file, at any place, is found', async () => {
  const whole = await folderOfTwo()
  const harmed = await whole.copy()
  const missed: string[] = []
  for (const ending of ['.log', '.ldb', 'MANIFEST', 'CURRENT', 'acknowledged']) {
    const file = ending === 'acknowledged' ? ending : await whole.file(ending)
    const bytes = await whole.read(file)
    const step = Math.max(1, Math.floor(bytes.length / 150))
    for (let at = 0; at < bytes.length; at += step) {
      await harmed.flip(file, at)
      if (!(await isFound(harmed))) missed.push(`${file} flipped at ${at} of ${bytes.length}`)
      await harmed.write(file, bytes.subarray(0, at))
      if (!(await isFound(harmed))) missed.push(`${file} cut to ${at} of ${bytes.length}`)
      await harmed.write(file, bytes)
    }
  }
  const table = await whole.read(await whole.file('.ldb'))
  expect(missed.filter(one => !isHarmless(one, table))).toEqual([])
})

test('[D2] an unfinished write that was never acknowledged is not damage', async () => {
  const harmed = await folderOfTwo()
  const log = await harmed.file('.log')
  const bytes = await harmed.read(log)
  // The beginning of another record: part of a header, part of its content, and blocks that a power failure left empty.
  for (const debris of [bytes.subarray(0, 4), bytes.subarray(0, 40), Buffer.alloc(3_000)]) {
    const one = await harmed.copy()
    await one.write(log, Buffer.concat([bytes, debris]))
    await expectWhole(one)
  }
  const one = await harmed.copy()
  const manifest = await one.file('MANIFEST')
  await one.write(manifest, Buffer.concat([await one.read(manifest), Buffer.alloc(3_000)]))
  await expectWhole(one)
})

test('a folder of a server that was killed while it created the store is not damage', async () => {
  const harmed = await folderOfTwo()
  const manifest = await harmed.read(await harmed.file('MANIFEST'))
  await harmed.remove('store')
  await harmed.remove('acknowledged')
  await mkdir(join(harmed.folder, 'store'))
  await harmed.write('store/MANIFEST-000001', manifest)
  const store = await openLevelStore(harmed.folder, options)
  expect(store.position).toBe(0)
  await store.close()
})

test('[D4] for a damaged folder the commands say what is lost and what to do, and the server does not start', async () => {
  const harmed = await folderOfTwo()
  await harmed.flip(await harmed.file('.ldb'), 700)
  const run = (...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> =>
    promisify(execFile)(process.execPath, [serverProgram, ...args, '--data', harmed.folder]).then(
      output => ({ code: 0, ...output }),
      (error: { code: number; stdout: string; stderr: string }) => error,
    )
  const checked = await run('check')
  expect(checked.code).toBe(1)
  expect(checked.stdout).toMatch(/\.ldb is damaged at byte \d+\n {2}lost: the records .*\nfiles are damaged \(1\)/)
  expect(checked.stdout).toMatch(
    /Restore the folder from a backup; or, if there is none, take "store" and "acknowledged"/,
  )
  for (const name of ['serve', 'compact']) {
    const { code, stdout, stderr } = await run(name, ...(name === 'serve' ? ['--port', '0'] : []))
    expect([code, stdout]).toEqual([1, ''])
    expect(stderr).toMatch(/is damaged, and is not served: .*\.ldb is damaged at byte \d+.* check --data/)
  }
})

/** Shortens timeouts of ten minutes, which is the delay before a server checks its tables for the first time. */
const hurried = `
  const { setTimeout } = globalThis
  globalThis.setTimeout = (work, ms, ...args) => setTimeout(work, ms === 600_000 ? 200 : ms, ...args)
`

test('[D2][D4] a server that finds a damaged table while it runs says so, stops, and exits with 1', async () => {
  const harmed = await folderOfTwo()
  const args = [
    '--import',
    `data:text/javascript,${encodeURIComponent(hurried)}`,
    serverProgram,
    'serve',
    '--port',
    '0',
  ]
  const child = spawn(process.execPath, [...args, '--data', harmed.folder], { stdio: ['ignore', 'pipe', 'pipe'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  let log = ''
  child.stderr.on('data', text => {
    log += text
  })
  const ended = once(child, 'exit')
  await once(child.stdout, 'data')
  const table = await harmed.decay()
  expect(await ended).toEqual([1, null])
  expect(log).toContain(`"file":"${table}"`)
  expect(log).toMatch(/is damaged, and is not served/)
})

test('[D2] devices restore all of their users’ data in an empty store, and see what they may', async () => {
  const harmed = await folderOfTwo()
  await harmed.remove('store')
  await harmed.remove('acknowledged')
  let kith = await server({ folder: harmed.folder })
  const port = Number(new URL(kith.url).port)
  const tokens = { ada: await kith.token('ada'), bob: await kith.token('bob') }
  const [ada, bob] = [
    await openDevice(kith, 'ada', { token: tokens.ada }),
    await openDevice(kith, 'bob', { token: tokens.bob }),
  ]
  await ada.ownProfile.set('phone', '+441632960001', { level: 2 })
  const contact = ada.getProfile('bob')
  contact.setProfileAccessLevels([2])
  contact.setLabel('Bob from work')
  await contact.save()
  await settle(ada, bob)
  expect(bob.getProfile('ada').get('phone')).toBe('+441632960001')
  await kith.kill()
  await harmed.flip('store/CURRENT', 3)
  await expect(server({ folder: harmed.folder, port })).rejects.toThrow('ended before it listened')
  // As `check` advises.
  await harmed.remove('store')
  await harmed.remove('acknowledged')
  kith = await server({ folder: harmed.folder, port })
  // They would reconnect automatically after a pause.
  for (const device of [ada, bob]) device.connect()
  await settle(ada, bob)
  const laptop = await openDevice(kith, 'ada', { token: tokens.ada })
  await settle(laptop, ada, bob)
  expect(laptop.ownProfile.get('phone', { level: 2 })).toBe('+441632960001')
  expect(laptop.getProfile('bob')).toMatchObject({ accessLevels: [2], label: 'Bob from work' })
  expect(bob.getProfile('ada').get('phone')).toBe('+441632960001')
  await kith.stop()
  await expectWhole(harmed)
})

test('[D2][V6][V7] a restored backup shows its own state, and nothing later, until the owner’s device updates it', async () => {
  const folder = (await folderOfTwo()).folder
  let kith = await server({ folder })
  const port = Number(new URL(kith.url).port)
  const [ada, bob] = [
    await openDevice(kith, 'ada', { token: await kith.token('ada') }),
    await openDevice(kith, 'bob', { token: await kith.token('bob') }),
  ]
  const seen = bob.getProfile('ada')
  const contact = ada.getProfile('bob')
  contact.setProfileAccessLevels([2])
  await contact.save()
  await ada.ownProfile.set('phone', 'of the backup', { level: 2 })
  await settle(ada, bob)
  await kith.stop()
  const backup = await new Harmed(folder).copy()
  kith = await server({ folder, port })
  for (const device of [ada, bob]) device.connect()
  contact.setProfileAccessLevels([])
  await contact.save()
  await ada.ownProfile.set('phone', 'made since', { level: 2 })
  await ada.ownProfile.set('name', 'Ada')
  await settle(ada, bob)
  expect(seen.fields).toEqual({ name: 'Ada' })
  ada.disconnect()
  await kith.kill()
  kith = await server({ folder: backup.folder, port })
  bob.connect()
  await bob.whenSynced()
  expect(seen.fields).toEqual({ phone: 'of the backup' })
  ada.connect()
  await settle(ada, bob)
  expect(seen.fields).toEqual({ name: 'Ada' })
  expect(bob.received.contains('made since')).toBe(false)
  const laptop = await openDevice(kith, 'ada', { token: await kith.token('ada') })
  await laptop.whenSynced()
  expect(laptop.ownProfile.get('phone', { level: 2 })).toBe('made since')
  expect(laptop.getProfile('bob').accessLevels).toEqual([])
  await kith.stop()
  await expectWhole(backup)
})

/** Whether the damage is found, before or when LevelDB opens the folder. */
async function isFound(harmed: Harmed): Promise<boolean> {
  if ((await findDamage(harmed.folder)).length > 0) return true
  const { folder } = await harmed.copy()
  const opened = await openLevelStore(folder, options).catch((error: unknown) => error)
  if (opened instanceof DamagedFolderError) return true
  await (opened as Store).close()
  return false
}

/** The table's footer has 48 bytes: two handles, padded to 40 with bytes that are never read, and a number of 8. */
function isHarmless(missed: string, table: Uint8Array): boolean {
  const [, at] = /\.ldb flipped at (\d+)/.exec(missed) ?? []
  const footer = table.length - 48
  const handles = decoding.createDecoder(table.subarray(footer))
  for (let numbers = 0; numbers < 4; numbers++) decoding.readVarUint(handles)
  return at !== undefined && Number(at) >= footer + handles.pos && Number(at) < table.length - 8
}
