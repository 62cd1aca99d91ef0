import assert from 'node:assert/strict'
import { processorMs } from '../measure/processor-time.ts'
import { alternate, type Contestant, type Workload } from '../measure/rounds.ts'
import { startPeers } from '../peers/peers.ts'
import { percentile } from '../report.ts'
import { bareFan, type Fan, kithClientFan, kithFan, peerFan } from './fans.ts'
import { startKith } from './kith.ts'
import { type Size, sized } from './size.ts'

/** Edits that are sent in one turn of the owner's event loop. */
const atOnce = 10

/**
 * W1: an owner's edits until the followers have them. Paced: one edit every few milliseconds. Flat out: as many as possible. A
 * follower has an edit when it has that value or a later one.
 */
export async function fanOut(size: Size): Promise<Workload[]> {
  const results: Workload[] = []
  for (const [followers, everyMs] of [
    [sized(size, 100, 5), 20],
    [sized(size, 1000, 10), 100],
  ] as const) {
    const server = await startKith()
    const { peers, notes } = await startPeers(size.hasPeers ? ['hocuspocus', 'y-websocket'] : [])
    const fans = [
      await bareFan(followers),
      await kithFan(server, followers),
      await kithClientFan(server, followers),
      ...(await Promise.all(peers.map(({ name, server: peer }) => peerFan(name, peer, followers)))),
    ]
    const contestants = fans.map(fan => fanContestant(fan, followers, everyMs, size))
    const title = `one owner, ${followers} followers, an edit each ${everyMs} ms; flat out`
    try {
      results.push(await alternate({ id: 'W1', title, notes, at: followers }, contestants, size.rounds))
    } finally {
      await server.stop()
    }
  }
  return results
}

/** Paced edits, and then edits flat out. */
export function fanContestant(fan: Fan, followers: number, everyMs: number, size: Size): Contestant {
  const pacedEdits = sized(size, 2000 / everyMs, 5)
  const flatEdits = sized(size, 100_000 / followers, 50)
  let next = 1
  let latencies: readonly number[] = []
  return {
    samples: () => latencies,
    ...{ name: fan.name, pid: fan.pid, close: () => fan.close() },
    round: async () => {
      const paced = new Edits(fan, followers, next, pacedEdits)
      next += pacedEdits
      latencies = paced.latencies
      const before = processorMs(fan.pid)
      await paced.pace(everyMs)
      const computed = processorMs(fan.pid) - before
      const flat = new Edits(fan, followers, next, flatEdits)
      next += flatEdits
      await flat.flood()
      return {
        'p50 ms': percentile(paced.latencies, 0.5),
        'p99 ms': percentile(paced.latencies, 0.99),
        'server µs/delivery': (computed * 1000) / (pacedEdits * followers),
        'flat out: deliveries/s': (flatEdits * followers * 1000) / flat.tookMs,
      }
    },
  }
}

/** A number of edits, and the times at which each follower received each of them. */
class Edits {
  readonly latencies: number[] = []
  tookMs = 0
  readonly #fan: Fan
  readonly #first: number
  readonly #count: number
  readonly #sentAt: number[] = []
  /** The next edit that each follower will receive. */
  readonly #next: number[]
  readonly #done: Promise<void>
  #left: number

  constructor(fan: Fan, followers: number, first: number, count: number) {
    this.#fan = fan
    this.#first = first
    this.#count = count
    this.#next = new Array<number>(followers).fill(first)
    this.#left = followers
    this.#done = new Promise(resolve => {
      fan.listen((follower, edit) => {
        const now = performance.now()
        const next = this.#next[follower] as number
        assert(edit >= next - 1, `${fan.name}: a follower got edit ${edit} after ${next - 1}`)
        assert(edit - first < this.#sentAt.length, `${fan.name}: edit ${edit} came before it was made`)
        for (let got = next; got <= edit; got++) this.latencies.push(now - (this.#sentAt[got - first] as number))
        if (edit < next) return
        this.#next[follower] = edit + 1
        if (edit === first + count - 1 && --this.#left === 0) resolve()
      })
    })
  }

  async pace(everyMs: number): Promise<void> {
    const begun = performance.now()
    const saved: Promise<void>[] = []
    for (let index = 0; index < this.#count; index++) {
      saved.push(this.#send(index))
      const waitMs = begun + (index + 1) * everyMs - performance.now()
      await new Promise(resolve => setTimeout(resolve, Math.max(0, waitMs)))
    }
    await Promise.all(saved)
    await this.#allArrived()
  }

  async flood(): Promise<void> {
    const begun = performance.now()
    const saved: Promise<void>[] = []
    for (let index = 0; index < this.#count; index++) {
      saved.push(this.#send(index))
      if (index % atOnce === atOnce - 1) await new Promise(resolve => setImmediate(resolve))
    }
    await Promise.all(saved)
    await this.#allArrived()
    this.tookMs = performance.now() - begun
  }

  #send(index: number): Promise<void> {
    this.#sentAt.push(performance.now())
    return this.#fan.edit(this.#first + index)
  }

  async #allArrived(): Promise<void> {
    const late = new Promise<never>((_, reject) =>
      setTimeout(
        () => reject(new Error(`${this.#fan.name}: ${this.#left} followers lack the last edit`)),
        60_000,
      ).unref(),
    )
    await Promise.race([this.#done, late])
  }
}
