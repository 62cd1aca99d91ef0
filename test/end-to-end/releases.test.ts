import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { cp } from 'node:fs/promises'
import { join } from 'node:path'
import { type Kith, type KithOptions, openKith } from '@kith/client'
import { type DeviceStorage, sqlite } from '@kith/client/sqlite'
import { check, openLevelDatabase } from '@kith/server'
import { decodeFrame, encodeFrame } from '@kith/shared/wire'
import { IDBFactory, IDBKeyRange } from 'fake-indexeddb'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { WebSocket } from 'ws'
import { type ServerProcess, startServerProcess } from '../../bench/src/server-process.ts'
import {
  goldenFrames,
  recordRelease,
  releases,
  releasesFolder,
  restoreDevice,
  restoreFolder,
  restoreSqliteDevice,
  type SeenByDevice,
  seenBy,
  unpack,
} from '../support/releases.ts'
import { addBackup } from '../support/server-internals.ts'
import { temporaryFolder } from '../support/stores.ts'

vi.setConfig({ testTimeout: 120_000 })

async function start(options: Parameters<typeof startServerProcess>[0]): Promise<ServerProcess> {
  const server = await startServerProcess(options)
  onTestFinished(() => server.stop())
  return server
}

/** Opens a device of a user with a client of any version. */
async function device(
  open: typeof openKith,
  server: ServerProcess,
  user: string,
  storage: IDBFactory | DeviceStorage = new IDBFactory(),
): Promise<Kith> {
  const kith = await open({
    url: server.url.replace('http', 'ws'),
    token: () => server.token(user),
    ...{ user, databaseName: user },
    ...('register' in storage ? { storage } : { indexedDB: storage, IDBKeyRange }),
    WebSocket: WebSocket as unknown as NonNullable<KithOptions['WebSocket']>,
  })
  onTestFinished(() => kith.close())
  return kith
}

async function settle(...all: Kith[]): Promise<void> {
  for (let round = 0; round < 2; round++) for (const one of all) await one.whenSynced()
}

/** The files of a folder, with hashes of their content. */
function hashesIn(folder: string): [name: string, hash: string][] {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter(entry => entry.isFile())
  const paths = files.map(({ parentPath, name }) => join(parentPath, name)).sort()
  return paths.map(path => [path, createHash('sha256').update(readFileSync(path)).digest('hex')])
}

async function visibility(server: ServerProcess, pair: string): Promise<unknown> {
  const [owner, viewer] = pair.split('/')
  return (await server.admin('GET', `/v1/visibility?owner=${owner}&viewer=${viewer}`)).json()
}

async function expectVisibility(server: ServerProcess, version: string): Promise<void> {
  for (const [pair, seen] of Object.entries(seenBy(version).visibility)) {
    expect([pair, await visibility(server, pair)]).toEqual([pair, seen])
  }
}

test('what a release left is never changed', () => {
  const noted = readFileSync(join(releasesFolder, 'checksums.txt'), 'utf8')
  const found = releases.flatMap(version =>
    readdirSync(join(releasesFolder, version)).map(name => {
      const bytes = readFileSync(join(releasesFolder, version, name))
      return `${createHash('sha256').update(bytes).digest('hex')}  ${version}/${name}\n`
    }),
  )
  expect(found.sort()).toEqual(noted.split(/(?<=\n)/).sort())
})

/** The checksum of each release's lines in `checksums.txt`, so that these lines cannot change together with the files. */
const released: Readonly<Record<string, string>> = {
  '0.1.0': '6046806e28d3b575bbbc18ef7178afa1e6312775660f1cd58c3f692e7a108213',
}

test('what is noted of a release is never changed, and a release is never removed', () => {
  const lines = readFileSync(join(releasesFolder, 'checksums.txt'), 'utf8').split(/(?<=\n)/)
  const noted = releases.map(version => {
    const own = lines.filter(line => line.includes(`  ${version}/`))
    return [version, createHash('sha256').update(own.join('')).digest('hex')]
  })
  expect(Object.fromEntries(noted)).toEqual(released)
})

describe.each(releases)('after release %s', version => {
  test('[S1] its golden frames are read and written as they were', () => {
    const frames = goldenFrames(version)
    expect(frames.length).toBeGreaterThan(20)
    for (const { message, frame } of frames) {
      expect(decodeFrame(frame)).toStrictEqual(message)
      expect(Buffer.from(encodeFrame(message)).toString('hex')).toBe(Buffer.from(frame).toString('hex'))
    }
  })

  test('[D4] its data folder is opened, check finds nothing, and everybody sees what they saw', async () => {
    const folder = await restoreFolder(version)
    const database = await openLevelDatabase(folder, true)
    const { users, findings } = await check(database)
    expect([users > 2, findings]).toEqual([true, []])
    await database.close()
    const server = await start({ folder })
    await expectVisibility(server, version)
    const bob = await device(openKith, server, 'bob')
    await bob.whenSynced()
    const profile = bob.getProfile('alice')
    await profile.loaded
    expect(profile.fields).toEqual(
      Object.assign({}, ...seenBy(version).device.fields.map(([, fields]) => fields), { name: 'Ada' }),
    )
  })

  test('[D1] its database of a device is opened, and what was unsent is sent', async () => {
    const server = await start({ folder: await restoreFolder(version) })
    const alice = await device(openKith, server, 'alice', await restoreDevice(version))
    await expectSeen(alice, seenBy(version).device)
    const viewer = await device(openKith, server, 'bob')
    await settle(alice, viewer)
    await viewer.getProfile('alice').loaded
    expect(viewer.getProfile('alice').get('name')).toBe('Ada Lovelace')
  })

  test('[F1][V3] its server serves the devices of this version, and a revocation takes effect', async () => {
    const { server: program, openKith: openOld } = await unpack(version)
    const server = await start({ program, folder: await temporaryFolder() })
    await expectExchange(server, openKith, openOld)
  })

  test('[D2] a backup that this version makes beside its running server changes nothing in the folder, and is served by it', async () => {
    const { server: program } = await unpack(version)
    const [folder, copy] = [await restoreFolder(version), await temporaryFolder()]
    const running = await start({ program, folder })
    const before = hashesIn(folder)
    const backup = await addBackup(folder, await temporaryFolder(), { nowMs: 1 })
    expect(hashesIn(folder)).toEqual(before)
    await running.stop()
    await cp(backup, copy, { recursive: true })
    const copied = hashesIn(copy)
    const database = await openLevelDatabase(copy, true)
    expect((await check(database)).findings).toEqual([])
    await database.close()
    expect(hashesIn(copy)).not.toEqual(copied)
    // Because the check has changed the copy, the other version gets the backup itself.
    const server = await start({ program, folder: backup })
    await expectVisibility(server, version)
  })

  test('[F1][V3] its devices are served by the server of this version, and a revocation takes effect', async () => {
    const { openKith: openOld } = await unpack(version)
    const server = await start({ folder: await temporaryFolder() })
    await expectExchange(server, openOld, openKith)
  })

  test('[D2] its server opens a folder that this version has written, and its device goes on', async () => {
    const { server: program, openKith: openOld } = await unpack(version)
    const folder = await restoreFolder(version)
    const newer = await startServerProcess({ folder })
    const alice = await device(openKith, newer, 'alice')
    await alice.whenSynced()
    await alice.ownProfile.set('name', 'Ada of today')
    await alice.whenSynced()
    await alice.close()
    await newer.stop()
    const server = await start({ program, folder })
    const bob = await device(openOld, server, 'bob')
    await bob.whenSynced()
    await bob.getProfile('alice').loaded
    expect(bob.getProfile('alice').get('name')).toBe('Ada of today')
  })
})

test('[R4] the server of 0.1.0 refuses a folder in which this version has refounded a document, and says what to do', async () => {
  const folder = await restoreFolder('0.1.0')
  const newer = await startServerProcess({ folder, env: { KITH_LIMIT_REFOUND_BYTES: '4096' } })
  const alice = await device(openKith, newer, 'alice')
  await alice.whenSynced()
  for (let time = 0; time < 400; time++) await alice.ownProfile.set(time % 2 ? 'name' : 'city', `text ${time}`)
  await alice.whenSynced()
  await alice.close()
  await newer.stop()
  const { server: program } = await unpack('0.1.0')
  const { code, printed } = await ended(['serve', '--port', '0', '--data', folder], program)
  expect(printed).toMatch(
    /has the format "kith-5", and this version reads kith-1: run the version of Kith that wrote it/,
  )
  expect(code).toBe(1)
  // This version continues with it.
  const again = await start({ folder })
  const bob = await device(openKith, again, 'bob')
  await bob.whenSynced()
  await bob.getProfile('alice').loaded
  expect(bob.getProfile('alice').get('name')).toBe('text 399')
})

test('[D1] a device of 0.1.0 opens the database of this version, and what both leave unsent is sent', async () => {
  const { openKith: openOld } = await unpack('0.1.0')
  const server = await start({ folder: await temporaryFolder() })
  const indexedDB = new IDBFactory()
  const newer = await device(openKith, server, 'alice', indexedDB)
  await newer.whenSynced()
  newer.disconnect()
  await newer.ownProfile.set('name', 'Ada')
  await newer.close()
  const older = await device(openOld, server, 'alice', indexedDB)
  older.disconnect()
  expect(older.ownProfile.get('name')).toBe('Ada')
  await older.ownProfile.set('city', 'London')
  await older.close()
  const again = await device(openKith, server, 'alice', indexedDB)
  await again.whenSynced()
  const other = await device(openKith, server, 'alice')
  await other.whenSynced()
  expect([...other.ownProfile.fields]).toEqual([[0, { name: 'Ada', city: 'London' }]])
})

/** Runs a program of another version until it ends. */
async function ended(args: readonly string[], program: string): Promise<{ code: number | null; printed: string }> {
  const child = spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'ignore', 'pipe'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  let printed = ''
  child.stderr.on('data', data => {
    printed += String(data)
  })
  const [code] = await once(child, 'close')
  return { code: code as number | null, printed }
}

const withSqlite = releases.filter(version => version !== '0.1.0')

test.each(withSqlite)(
  '[D1] the SQLite file of a device of release %s is opened, and what was unsent is sent',
  version => expectSqliteOpened(version),
)

test('[D1] the next release can be recorded, and the databases of its devices are opened', async () => {
  const recorded = await recordRelease()
  const names = ['device.jsonl', 'folder.jsonl', 'frames.jsonl', 'packed.tar.gz', 'seen.jsonl', 'sqlite.jsonl']
  expect(readdirSync(recorded).sort()).toEqual(names)
  await expectSqliteOpened(recorded)
  const server = await start({ folder: await restoreFolder(recorded) })
  await expectSeen(await device(openKith, server, 'alice', await restoreDevice(recorded)), seenBy(recorded).device)
})

async function expectSqliteOpened(version: string): Promise<void> {
  const server = await start({ folder: await restoreFolder(version) })
  const alice = await device(openKith, server, 'alice', sqlite(await restoreSqliteDevice(version)))
  await expectSeen(alice, seenBy(version).sqlite as SeenByDevice)
}

/** The device shows what its release showed, and sends what was unsent. */
async function expectSeen(alice: Kith, seen: SeenByDevice): Promise<void> {
  expect(alice.unsent).toBe(seen.unsent)
  expect([...alice.ownProfile.fields]).toEqual(seen.fields)
  const [bob, carol] = [alice.getProfile('bob'), alice.getProfile('carol')]
  await bob.loaded
  expect([bob.label, bob.accessLevels, bob.fields]).toEqual([seen.label, seen.levels, seen.shown])
  expect(carol.isBlocked).toBe(seen.isBlocked)
  await alice.whenSynced()
  expect(alice.unsent).toBe(0)
}

/** Devices of one user with both versions, and a viewer with the other version. */
async function expectExchange(
  server: ServerProcess,
  openOne: typeof openKith,
  openOther: typeof openKith,
): Promise<void> {
  const errors: string[] = []
  const [phone, laptop, bob] = [
    await device(openOne, server, 'alice'),
    await device(openOther, server, 'alice'),
    await device(openOne, server, 'bob'),
  ]
  for (const one of [phone, laptop, bob]) one.on('error', ({ code, message }) => errors.push(`${code}: ${message}`))
  await settle(phone, laptop, bob)
  const contact = phone.getProfile('bob')
  contact.setProfileAccessLevels([2])
  await contact.save()
  await phone.ownProfile.set('phone', '+441632960001', { level: 2 })
  await laptop.ownProfile.set('name', 'Ada')
  await settle(phone, laptop, bob)
  const seen = bob.getProfile('alice')
  await seen.loaded
  expect([seen.get('name'), seen.get('phone')]).toEqual(['Ada', '+441632960001'])
  expect([laptop.getProfile('bob').accessLevels, phone.ownProfile.get('name')]).toEqual([[2], 'Ada'])
  expect(await bob.send('alice', 'hello')).toBe('delivered')
  const revoked = laptop.getProfile('bob')
  revoked.setProfileAccessLevels([])
  await revoked.save()
  await settle(laptop, phone, bob)
  expect(bob.getProfile('alice').get('phone')).toBe(undefined)
  expect(await visibility(server, 'alice/bob')).toEqual({ levels: [0], reason: 'visible' })
  expect(errors).toEqual([])
}
