import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { openLevelDatabase } from '@kith/server'
import { flatMapsOf, type KeyChange, planRemovals, planSyncAsUpdate } from '@kith/shared'
import type * as Y from 'yjs'
import { MemoryWatch } from '../overload/memory.ts'
import { serviceSettings } from '../overload/service-settings.ts'
import { RawDevice, userIds } from '../raw-device.ts'
import { print, type Row, rounded } from '../report.ts'
import { type ServerProcess, serverProgram, startServerProcess } from '../server-process.ts'
import { printBounded } from './bounds.ts'
import { Calendar } from './calendar.ts'
import { folderBytes, LifeServer } from './life-server.ts'
import { progressOf } from './progress.ts'

/** The number of strangers that a session adds and, later, removes. */
const strangersPerSession = 6

/**
 * Many users for a year. Each comes every third or fourth day, edits the profile, follows other users, and adds strangers whom
 * the roster forgets later. Then the folder is checked, compacted and served.
 */
export async function crowdForAYear(userCount: number, days: number): Promise<void> {
  const calendar = new Calendar(days)
  const server = await LifeServer.start(calendar)
  try {
    await live(server, calendar, userCount, days)
    await server.stop()
    print(`records of ${userCount} users after ${days} days`, await familiesOf(server.folder))
    const beforeMB = (await folderBytes(server.folder)) / 1e6
    const checkMs = await command('check', server.folder)
    const compactMs = await command('compact', server.folder)
    const afterMB = (await folderBytes(server.folder)) / 1e6
    const served = await serve(server.folder, userIds('user', userCount))
    const row = {
      'folder: MB': rounded(beforeMB),
      'folder, compacted: MB': rounded(afterMB),
      'check: s': rounded(checkMs / 1000),
      'compact: s': rounded(compactMs / 1000),
      ...served,
    }
    // The data that a server keeps of a user grow with the number of users whom the roster names, by some 20 KB in the first
    // year.
    const mostMB = 2 + (userCount * days) / 5_000
    const bounds = {
      'folder: MB': mostMB,
      'folder, compacted: MB': mostMB,
      'check: s': 10,
      'compact: s': 10,
      'start: s': 2,
      'memory at first: MB': 150,
      'new devices at once: s': 10,
      'memory meanwhile: MB': 700,
      'memory afterwards: MB': 1.5 * (served['memory at first: MB'] as number),
    }
    printBounded(`${userCount} users for ${days} days`, new Map([['measured', row]]), bounds)
  } finally {
    await server.removeFolder()
  }
}

async function live(server: LifeServer, calendar: Calendar, userCount: number, days: number): Promise<void> {
  const devices = userIds('user', userCount).map(user => new RawDevice(user))
  const tell = progressOf(`${userCount} users, days`, days)
  for (let day = 0; day < days; day++) {
    calendar.passDay()
    for (const [index, device] of devices.entries()) {
      const isHere = day === 0 || (day + index) % 7 === 0 || (day + index) % 7 === 3
      if (!isHere) continue
      device.isVersioned = true
      await device.connect(server, await server.token(device.user), true)
      device.write('profile', [{ root: 'fields', key: '0/benchmark/status', value: `${device.user} on day ${day}` }])
      await device.edit('roster', editsOf(device.roster, index, day, userCount))
      device.close()
      devices[index] = device.restarted()
    }
    tell(day)
  }
}

/** Adds strangers to the roster, and removes those of four weeks ago. Follows another user, and grants that user a level. */
function editsOf(roster: Y.Doc, index: number, day: number, userCount: number): KeyChange[] {
  const strangers = (at: number): string[] =>
    Array.from({ length: at < 0 ? 0 : strangersPerSession }, (_, number) => {
      const of = String(at * strangersPerSession + number).padStart(5, '0')
      return `+4477${String(index).padStart(4, '0')}${of}`
    })
  const friend = `user-${(index + day + 1) % userCount}`
  const met = friend === `user-${index}` ? strangers(day) : [...strangers(day), friend]
  const { changes } = planSyncAsUpdate(flatMapsOf(roster), met, { levels: [1], isSubscribed: true })
  const gone = strangers(day - 28).filter(stranger => roster.getMap('contacts').has(stranger))
  return [...changes, ...planRemovals(flatMapsOf(roster), gone)]
}

async function familiesOf(folder: string): Promise<Row[]> {
  const database = await openLevelDatabase(folder)
  const families = new Map<string, { records: number; bytes: number }>()
  for await (const [key, value] of database.iterator()) {
    const [family = ''] = key.split('\u0000')
    const { records, bytes } = families.get(family) ?? { records: 0, bytes: 0 }
    families.set(family, { records: records + 1, bytes: bytes + Buffer.byteLength(key) + value.length })
  }
  await database.close()
  return [...families].map(([family, { records, bytes }]) => ({ family, records, MB: rounded(bytes / 1e6) }))
}

/** Runs a command of the server on a folder. Returns its duration in milliseconds. */
async function command(name: string, folder: string): Promise<number> {
  const begun = performance.now()
  const child = spawn(process.execPath, [serverProgram, name, '--data', folder], {
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  const [code] = await once(child, 'exit')
  if (code !== 0) throw new Error(`${name} of ${folder} ended with ${code}`)
  return performance.now() - begun
}

/**
 * Starts a server on the folder with the settings for production. All users then connect with a new device at the same time.
 */
async function serve(folder: string, users: readonly string[]): Promise<Row> {
  const begun = performance.now()
  const server = await startServerProcess({ folder, env: serviceSettings() })
  const startMs = performance.now() - begun
  const memory = new MemoryWatch(server.pid)
  try {
    const before = memory.now()
    memory.takePeak()
    const arriving = performance.now()
    await Promise.all(users.map(user => arrive(server, user)))
    const arrivedMs = performance.now() - arriving
    const peak = memory.takePeak()
    await new Promise(resolve => setTimeout(resolve, quietMs))
    return {
      'start: s': rounded(startMs / 1000),
      'memory at first: MB': before,
      'new devices at once: s': rounded(arrivedMs / 1000),
      'memory meanwhile: MB': peak,
      'memory afterwards: MB': memory.now(),
    }
  } finally {
    memory.stop()
    await server.stop()
  }
}

/** A server returns memory within this time: it keeps documents for up to 45 s, and collects 50 s after its last use. */
const quietMs = 120_000

async function arrive(server: ServerProcess, user: string): Promise<void> {
  const device = new RawDevice(user)
  device.isVersioned = true
  await device.connect(server, await server.token(user), true)
  device.close()
}
