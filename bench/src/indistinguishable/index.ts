import { type ServerProcess, startServerProcess } from '../server-process.ts'
import { Actor } from './actor.ts'
import { Claims } from './claims.ts'
import { compareIds } from './ids.ts'
import { ownFollowers } from './own-followers.ts'
import { shuffled, spin } from './trials.ts'
import { type Probe, probes, Viewer } from './viewer.ts'

const samplesEach = Number(process.env['KITH_BENCH_SAMPLES'] ?? 3000)
/** The act may be at any of its stages when the request arrives. */
const longestLeadMs = 1.5
const many = '1000000'

const conditions = ['owner', 'third', 'nobody'] as const
type Condition = (typeof conditions)[number]

/**
 * (f) A viewer whom the owner blocks repeats requests and measures them: while the owner acts, while a third user does the
 * same, and while no user acts, in random order. The viewer may notice that some user acts, because all users share a disk. The
 * viewer must not find out which user acts [V10].
 */
export async function indistinguishable(): Promise<void> {
  const server = await startServerProcess({
    env: Object.fromEntries(
      ['WRITES_PER_SECOND', 'WRITES_BURST', 'MESSAGES_PER_SECOND', 'MESSAGES_BURST', 'CONNECTIONS_PER_ADDRESS'].map(
        name => [`KITH_LIMIT_${name}`, many],
      ),
    ),
  })
  const claims = new Claims()
  try {
    await whoActs(server, claims)
    await compareIds(server, claims, samplesEach)
    await ownFollowers(server, claims, samplesEach)
  } finally {
    await server.stop()
  }
  claims.report('(f) what a blocked viewer can measure')
}

async function whoActs(server: ServerProcess, claims: Claims): Promise<void> {
  const viewer = new Viewer()
  await viewer.arrive(server)
  const owner = new Actor('the-owner', server)
  const third = new Actor('the-third', server)
  await owner.arrive()
  await third.arrive()
  const samples = new Map<string, number[]>()
  const frames = new Map<string, Map<string, number>>()
  const trials = shuffled(
    probes.flatMap(probe => conditions.flatMap(condition => Array(samplesEach).fill([probe, condition] as const))),
  ) as [Probe, Condition][]
  for (const [probe, condition] of trials) {
    const name = `${probe} ${condition}`
    const of = samples.get(name) ?? []
    samples.set(name, of)
    const actor = condition === 'owner' ? owner : condition === 'third' ? third : undefined
    const acting = actor?.act(Math.random())
    await spin(Math.random() * longestLeadMs)
    await viewer.probe(probe, owner.user, of)
    await acting
    await spin(1)
    const seen = viewer.takeFrames()
    const ofProbe = frames.get(probe) ?? new Map<string, number>()
    frames.set(probe, ofProbe.set(`${condition}: ${seen}`, (ofProbe.get(`${condition}: ${seen}`) ?? 0) + 1))
  }
  await viewer.rest()
  for (const probe of probes) {
    const of = (condition: Condition): number[] => samples.get(`${probe} ${condition}`) ?? []
    claims.compare(`${probe}: third acts / owner acts`, of('third'), of('owner'), true)
    claims.compare(`${probe}: nobody acts / owner acts`, of('nobody'), of('owner'), false)
  }
  for (const probe of probes) countFrames(claims, probe, frames.get(probe) ?? new Map())
  judgeCursors(claims, viewer.cursors)
  for (const one of [owner, third]) one.leave()
  viewer.device.close()
}

/** Compares the frames: their number, order, types and sizes must be the same, whichever user acts. */
function countFrames(claims: Claims, probe: Probe, counts: ReadonlyMap<string, number>): void {
  const kinds = conditions.map(condition => {
    const own = [...counts.keys()].filter(name => name.startsWith(`${condition}: `))
    return new Set(own.map(name => name.slice(condition.length + 2)))
  })
  const all = new Set(kinds.flatMap(kind => [...kind]))
  const isSame = kinds.every(kind => kind.size === all.size)
  claims.expect(`${probe}: frames`, isSame, `${[...all].map(kind => kind || 'none').join(' | ')}`.slice(0, 80))
}

/**
 * All cursors must have one size, no cursor may occur twice, and every byte must take all values. Then no part of a cursor
 * counts or stays constant.
 */
function judgeCursors(claims: Claims, cursors: readonly Uint8Array[]): void {
  const sizes = new Set(cursors.map(({ length }) => length))
  const length = Math.min(...sizes)
  const values = Array.from({ length }, (_, index) => new Set(cursors.map(cursor => cursor[index])).size)
  const different = new Set(cursors.map(cursor => Buffer.from(cursor).toString('hex'))).size
  claims.expect('cursors: sizes', sizes.size === 1, [...sizes].join(', '))
  claims.expect('cursors: none twice', different === cursors.length, `${different} of ${cursors.length}`)
  const least = Math.min(...values)
  claims.expect('cursors: values of each byte', least >= 200 || cursors.length < 2000, `at least ${least} of 256`)
}
