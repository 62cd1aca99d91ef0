import { fork } from 'node:child_process'
import { once } from 'node:events'
import { setPriority } from 'node:os'
import { fileURLToPath } from 'node:url'
import { startServerProcess } from '../server-process.ts'
import { type Ending, pause, within } from './attack.ts'
import { attacks } from './attacks.ts'
import { Bystanders } from './bystanders.ts'
import { MemoryWatch } from './memory.ts'
import { serviceSettings } from './service-settings.ts'
import { turnsMeasured, turnsOf } from './turns.ts'

/**
 * In reality, an attacker has a separate machine. Here the attacker gets the processor time that the server and the bystanders
 * leave.
 */
const attackerPriority = 15

/** The attacks are compared with the quiet figure, so it is taken from more edits. */
const quietMs = 10_000
const leastAttackedMs = 4_000
const mostAttackMs = 150_000
const mostPrepareMs = 200_000
/** The time until memory is measured again. */
export const afterMs = 20_000

/** What two other users and the server noticed of one attack. Latencies are in milliseconds, memory is in megabytes. */
export interface Round {
  /** The latencies of the bystanders' edits before the attack. */
  quiet: readonly number[]
  attacked: readonly number[]
  /** The longest turn of the server's event loop during the attack, in milliseconds of processor time. */
  longestMs: number
  /** The number of turns that took more than 20 ms. */
  above20: number
  before: number
  peak: number
  /** {@link afterMs} after the attack. */
  after: number
  ending: Ending
}

/** Attacks a new server once. Resolves to `undefined` if the attack could not be prepared in time. */
export async function attackOnce(name: string): Promise<Round | undefined> {
  const { file: turnsFile, nodeArguments, env } = await turnsMeasured()
  const server = await startServerProcess({
    env: { ...serviceSettings(), ...attacks[name]?.env, ...env },
    nodeArguments,
  })
  const bystanders = new Bystanders()
  const memory = new MemoryWatch(server.pid)
  const attacker = fork(fileURLToPath(new URL('./attacker.js', import.meta.url)), [name, server.url])
  if (attacker.pid !== undefined) setPriority(attacker.pid, attackerPriority)
  try {
    const ready = await within(mostPrepareMs, once(attacker, 'message'))
    if (ready === 'late') return undefined
    await bystanders.connect(server)
    await pause(1_000)
    bystanders.take()
    await turnsOf(server.pid, turnsFile)
    await pause(quietMs)
    const quiet = bystanders.take()
    await turnsOf(server.pid, turnsFile)
    const before = memory.now()
    memory.takePeak()
    const ended = once(attacker, 'message').then(([ending]) => ending as Ending)
    attacker.send('go')
    const [answer] = await Promise.all([within(mostAttackMs, ended), pause(leastAttackedMs)])
    const ending = answer === 'late' ? { text: 'without end', isRight: false } : answer
    const attacked = bystanders.take()
    const { longestMs, above20 } = await turnsOf(server.pid, turnsFile)
    attacker.kill('SIGKILL')
    await pause(afterMs)
    const peak = memory.takePeak()
    const after = memory.now()
    return { quiet, attacked, longestMs, above20, before, peak, after, ending }
  } finally {
    attacker.kill('SIGKILL')
    memory.stop()
    bystanders.close()
    await server.kill()
  }
}
