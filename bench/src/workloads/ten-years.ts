import assert from 'node:assert/strict'
import * as Y from 'yjs'
import { alternate, type Contestant, type Workload } from '../measure/rounds.ts'
import { RawDevice } from '../raw-device.ts'
import type { ServerProcess } from '../server-process.ts'
import { arrive } from './arrivals.ts'
import { startKith } from './kith.ts'
import { type Size, sized } from './size.ts'

/** The number of contacts that the user has at any time. */
const contactsKept = 200

/**
 * W9: ten years of one owner with three devices that connect and disconnect in turn. Each session makes two edits: one changes
 * a field, and the other adds a contact and removes an old one. Compared with a user who has had the same contacts and fields
 * only since today.
 */
export async function tenYears(size: Size): Promise<Workload[]> {
  const sessions = sized(size, 10_000, 30)
  const server = await startKith()
  try {
    const old = await grownOld(server, sessions)
    const young = await bornToday(server, old)
    const contestants = [sizesOf('since today', server, young), sizesOf(`${sessions} sessions`, server, old)]
    const title = `an owner's documents after ${sessions} sessions with 3 devices, ${2 * sessions} edits`
    return [await alternate({ id: 'W9', title }, contestants, size.rounds)]
  } finally {
    await server.stop()
  }
}

/** Runs the sessions. Returns the last device, which has all data. */
async function grownOld(server: ServerProcess, sessions: number): Promise<RawDevice> {
  const token = await server.token('old')
  const devices = [new RawDevice('old'), new RawDevice('old'), new RawDevice('old')]
  for (let session = 0; session < sessions; session++) {
    const device = devices[session % devices.length] as RawDevice
    await device.connect(server, token, true)
    device.write('profile', [{ root: 'fields', key: '0/benchmark/status', value: `in session ${session}` }])
    const gone = session - contactsKept
    await device.edit('roster', [
      { root: 'contacts', key: contactOf(session), value: true },
      { root: 'grants', key: `1/${contactOf(session)}`, value: true },
      ...(gone < 0
        ? []
        : [
            { root: 'contacts', key: contactOf(gone), value: undefined },
            { root: 'grants', key: `1/${contactOf(gone)}`, value: undefined },
          ]),
    ])
    device.close()
  }
  const last = new RawDevice('old')
  await last.connect(server, token, true)
  last.close()
  assert.equal(last.roster.getMap('contacts').size, Math.min(sessions, contactsKept))
  return last
}

function contactOf(session: number): string {
  return `+1212${String(5550000 + session).padStart(7, '0')}`
}

async function bornToday(server: ServerProcess, old: RawDevice): Promise<RawDevice> {
  const young = new RawDevice('young')
  await young.connect(server, await server.token(young.user))
  const entries = ['contacts', 'grants'].flatMap(root =>
    [...old.roster.getMap(root).keys()].map(key => ({ root, key, value: true })),
  )
  await young.edit('roster', entries)
  await young.edit('profile', [{ root: 'fields', key: '0/benchmark/status', value: 'in session 1' }])
  young.close()
  return young
}

/** Measures the sizes of the documents, and the time that a new device of the user needs. */
function sizesOf(name: string, server: ServerProcess, { user, roster }: RawDevice): Contestant {
  return {
    name,
    pid: server.pid,
    round: async () => {
      const device = new RawDevice(user)
      const { tookMs, bytes } = await arrive(server, device)
      assert.deepEqual(device.roster.getMap('grants').toJSON(), roster.getMap('grants').toJSON())
      const update = Y.encodeStateAsUpdate(device.roster)
      const begun = performance.now()
      Y.applyUpdate(new Y.Doc(), update)
      return {
        'roster: bytes': update.length,
        'roster: state vector': Y.encodeStateVector(device.roster).length,
        'roster: ms to load': performance.now() - begun,
        'new device: ms': tookMs,
        'new device: bytes': bytes,
      }
    },
    close: async () => undefined,
  }
}
