import { fork } from 'node:child_process'
import { once } from 'node:events'
import { setPriority } from 'node:os'
import { fileURLToPath } from 'node:url'
import { type Ending, type MemoryCeiling, pause, within } from './overload/attack.ts'
import { attacks } from './overload/attacks.ts'
import { Bystanders } from './overload/bystanders.ts'
import { MemoryWatch } from './overload/memory.ts'
import { serviceSettings } from './overload/service-settings.ts'
import { turnsMeasured, turnsOf } from './overload/turns.ts'
import { percentile, print, type Row } from './report.ts'
import { startServerProcess } from './server-process.ts'

/**
 * How many times slower the 99th percentile of the bystanders may be than without the attack. The attacker, the bystanders,
 * LevelDB's own thread and the server share two cores, so a quiet p99 of 3 ms means little. A p99 below the floor, half a frame
 * of a screen, is treated as noise of the machine.
 */
const mostTimesSlower = 3
const floorMs = 10
/**
 * Half of the kept memory is the process itself. The benchmark triggers no garbage collection, because a server in production
 * does not either.
 */
const memoryOfMost: MemoryCeiling = { peak: 400, kept: 250 }

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
const afterMs = 20_000

/** (f) One hostile user: measures what two other users notice of each attack. Exits with 1 when they notice too much. */
export async function overload(names: readonly string[]): Promise<void> {
  const rows: Row[] = []
  for (const name of names.length > 0 ? names : Object.keys(attacks)) {
    if (!attacks[name]) throw new Error(`no attack is called ${name}; there are ${Object.keys(attacks).join(', ')}`)
    rows.push(await attackOnce(name))
    console.log(JSON.stringify(rows.at(-1)))
  }
  print(
    `(f) another user's edit until its follower has it, in ms; p99 at most ${mostTimesSlower} times the quiet one or ${floorMs} ms, ` +
      `memory at its peak and ${afterMs / 1000} s after the attack at most as each row says`,
    rows,
  )
  if (rows.some(({ held }) => held !== 'yes')) process.exitCode = 1
}

async function attackOnce(name: string): Promise<Row> {
  const { file: turnsFile, nodeArguments, env } = await turnsMeasured()
  const server = await startServerProcess({
    env: { ...serviceSettings(), ...attacks[name]?.env, ...env },
    nodeArguments,
  })
  const bystanders = new Bystanders()
  const memory = new MemoryWatch(server.pid)
  const attacker = fork(fileURLToPath(new URL('./overload/attacker.js', import.meta.url)), [name, server.url])
  if (attacker.pid !== undefined) setPriority(attacker.pid, attackerPriority)
  try {
    const ready = await within(mostPrepareMs, once(attacker, 'message'))
    if (ready === 'late') return { attack: attacks[name]?.name ?? name, ending: 'not even prepared', held: 'no' }
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
    const ceiling = attacks[name]?.memory ?? memoryOfMost
    const limit = Math.max(floorMs, mostTimesSlower * percentile(quiet, 0.99))
    const faults = [
      ...(percentile(attacked, 0.99) > limit ? ['slow'] : []),
      ...(peak > ceiling.peak || after > ceiling.kept ? ['memory'] : []),
      ...(ending.isRight ? [] : ['ending']),
    ]
    return {
      attack: attacks[name]?.name ?? name,
      'p50 quiet → attacked': `${percentile(quiet, 0.5)} → ${percentile(attacked, 0.5)}`,
      p99: `${percentile(quiet, 0.99)} → ${percentile(attacked, 0.99)}`,
      max: `${percentile(quiet, 1)} → ${percentile(attacked, 1)}`,
      'longest turn, turns above 20 ms': `${longestMs}, ${above20}`,
      'MB before, peak, after': `${before}, ${peak}, ${after}`,
      'at most': `${ceiling.peak}, ${ceiling.kept}`,
      ending: ending.text,
      held: faults.length === 0 ? 'yes' : `no: ${faults.join(', ')}`,
    }
  } finally {
    attacker.kill('SIGKILL')
    memory.stop()
    bystanders.close()
    await server.kill()
  }
}
