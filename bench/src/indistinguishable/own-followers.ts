import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { RawDevice } from '../raw-device.ts'
import type { ServerProcess } from '../server-process.ts'
import type { Claims } from './claims.ts'
import { spin } from './trials.ts'

/** The follow changes after this many edits. This is cheaper than a change before each edit, and equally random. */
const editsEach = 10

/**
 * An owner measures its own edits: do the times show whether a follower is online? This is measured and not claimed: the frame
 * for the follower is work for the server that the owner's next request may have to wait for.
 */
export async function ownFollowers(server: ServerProcess, claims: Claims, samplesEach: number): Promise<void> {
  const owner = new RawDevice('the-followed')
  await owner.connect(server, await server.token(owner.user))
  const program = fileURLToPath(new URL('./fan-process.js', import.meta.url))
  const fan = fork(program, [server.url, await server.token('the-fan'), owner.user])
  await once(fan, 'message')
  const samples = { followed: [] as number[], alone: [] as number[] }
  for (let round = 0; round < (2 * samplesEach) / editsEach; round++) {
    const isFollowed = Math.random() < 0.5
    fan.send(isFollowed)
    await once(fan, 'message')
    for (let edit = 0; edit < editsEach; edit++) {
      await spin(1)
      const atMs = performance.now()
      await owner.edit('profile', [{ root: 'fields', key: '0/benchmark/status', value: `${round} ${edit}` }])
      samples[isFollowed ? 'followed' : 'alone'].push(performance.now() - atMs)
    }
  }
  claims.compare('own edit: nobody follows / one follows', samples.alone, samples.followed, false)
  owner.close()
  const ended = once(fan, 'exit')
  fan.kill()
  await ended
}
