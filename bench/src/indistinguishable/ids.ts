import { RawDevice } from '../raw-device.ts'
import type { ServerProcess } from '../server-process.ts'
import { blocking } from './actor.ts'
import type { Claims } from './claims.ts'
import { shuffled, spin } from './trials.ts'
import { Viewer } from './viewer.ts'

const levels = 16

/** No other user acts. The viewer requests ids of which it sees nothing, each for another reason. */
export async function compareIds(server: ServerProcess, claims: Claims, samplesEach: number): Promise<void> {
  const ids = ['unknown', 'blocks-me', 'blocks-me-and-has-much', 'shows-nobody']
  await publish(server, 'blocks-me', 1, [blocking('viewer')])
  await publish(server, 'blocks-me-and-has-much', levels, [blocking('viewer')])
  await publish(server, 'shows-nobody', 1, [{ root: 'privacy', key: 'nonce-of-it/nobody', value: true }])
  const viewer = new Viewer()
  await viewer.arrive(server)
  // The first request for each of them costs a look-up.
  for (const id of ids) for (const probe of ['fetch', 'watch'] as const) await viewer.probe(probe, id, [])
  viewer.takeFrames()
  const samples = new Map<string, number[]>()
  const frames = new Map<string, Set<string>>()
  const probes = ['fetch', 'watch'] as const
  const trials = shuffled(probes.flatMap(probe => ids.flatMap(id => Array(samplesEach).fill([probe, id] as const))))
  for (const [probe, id] of trials as [(typeof probes)[number], string][]) {
    const name = `${probe} ${id}`
    samples.set(name, samples.get(name) ?? [])
    await viewer.probe(probe, id, samples.get(name) ?? [])
    await spin(0.3)
    // A frame that names the id is longer by the length of the id.
    const seen = viewer.takeFrames().replace(/\d+$/, size => String(Number(size) - id.length))
    frames.set(probe, (frames.get(probe) ?? new Set()).add(seen))
  }
  for (const probe of probes) {
    const unknown = samples.get(`${probe} unknown`) ?? []
    for (const id of ids.slice(1))
      claims.compare(`${probe}: unknown / ${id}`, unknown, samples.get(`${probe} ${id}`) ?? [], true)
    claims.expect(
      `${probe}: frames of each id`,
      frames.get(probe)?.size === 1,
      [...(frames.get(probe) ?? [])].join(' | '),
    )
  }
  viewer.device.close()
}

async function publish(
  server: ServerProcess,
  user: string,
  levelCount: number,
  roster: Parameters<RawDevice['edit']>[1],
): Promise<void> {
  const device = new RawDevice(user)
  await device.connect(server, await server.token(user))
  await device.edit('roster', roster)
  const fields = Array.from({ length: levelCount }, (_, level) => level)
  await device.edit(
    'profile',
    fields.map(level => ({ root: 'fields', key: `${level}/benchmark/about`, value: 'x'.repeat(2000) })),
  )
  device.close()
}
