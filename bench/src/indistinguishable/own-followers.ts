import { following, RawDevice } from '../raw-device.ts'
import type { ServerProcess } from '../server-process.ts'
import type { Claims } from './claims.ts'
import { spin } from './trials.ts'

/** A change of the follow comes after so many edits, which is cheaper than before each, and as random. */
const editsEach = 10

/**
 * An owner times its own edits: whether somebody online follows it costs the server the hand-over of a frame. This is
 * measured and not claimed: it is the work itself.
 */
export async function ownFollowers(server: ServerProcess, claims: Claims, samplesEach: number): Promise<void> {
  const owner = new RawDevice('the-followed')
  await owner.connect(server, await server.token(owner.user))
  const fan = new RawDevice('the-fan')
  await fan.connect(server, await server.token(fan.user))
  const samples = { followed: [] as number[], alone: [] as number[] }
  for (let round = 0; round < (2 * samplesEach) / editsEach; round++) {
    const isFollowed = Math.random() < 0.5
    const [follow] = following([owner.user])
    await fan.edit('roster', [
      { root: 'subscriptions', key: owner.user, value: isFollowed ? follow?.value : undefined },
    ])
    for (let edit = 0; edit < editsEach; edit++) {
      await spin(0.5)
      const atMs = performance.now()
      await owner.edit('profile', [{ root: 'fields', key: '0/benchmark/status', value: `${round} ${edit}` }])
      samples[isFollowed ? 'followed' : 'alone'].push(performance.now() - atMs)
    }
  }
  claims.compare('own edit: nobody follows / one follows', samples.alone, samples.followed, false)
  for (const device of [owner, fan]) device.close()
}
