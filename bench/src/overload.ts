import { median } from './measure/results.ts'
import type { MemoryCeiling } from './overload/attack.ts'
import { attacks } from './overload/attacks.ts'
import { afterMs, attackOnce, type Round } from './overload/round.ts'
import { percentile, print, type Row, rounded } from './report.ts'

/**
 * How many times slower the 99th percentile of the bystanders may be than without the attack. The attacker, the bystanders,
 * LevelDB's own thread and the server share two cores, so a quiet p99 of 3 ms means little. A p99 below the floor, half a frame
 * of a screen, is treated as noise of the machine. A stall of the machine of 40 ms decides the 99th percentile of an attack of
 * four seconds, so the attacks take turns for some rounds, and the medians are compared.
 */
const mostTimesSlower = 3
const floorMs = 10
/**
 * Half of the kept memory is the process itself. The benchmark triggers no garbage collection, because a server in production
 * does not either.
 */
const memoryOfMost: MemoryCeiling = { peak: 400, kept: 250 }

/**
 * (f) One hostile user: measures what two other users notice of each attack. Exits with 1 when they notice too much. `names` are
 * keys of {@link attacks}, by default all.
 */
export async function overload(names: readonly string[], rounds: number): Promise<void> {
  const chosen = names.length > 0 ? names : Object.keys(attacks)
  const unknown = chosen.find(name => !attacks[name])
  if (unknown !== undefined) {
    throw new Error(`no attack is called ${unknown}; there are ${Object.keys(attacks).join(', ')}`)
  }
  const measured = new Map<string, (Round | undefined)[]>(chosen.map(name => [name, []]))
  for (let round = 1; round <= rounds; round++) {
    for (const [name, before] of measured) {
      const now = await attackOnce(name)
      before.push(now)
      console.log(`round ${round} of ${rounds}: ${JSON.stringify(rowOf(name, [now]))}`)
    }
  }
  const rows = [...measured].map(([name, all]) => rowOf(name, all))
  print(
    `(f) another user's edit until its follower has it, in ms: medians of ${rounds} rounds, of each maximum the highest; p99 at ` +
      `most ${mostTimesSlower} times the quiet one or ${floorMs} ms, memory at its peak and ${afterMs / 1000} s after the ` +
      'attack at most as each row says',
    rows,
  )
  if (rows.some(({ held }) => held !== 'yes')) process.exitCode = 1
}

function rowOf(name: string, all: readonly (Round | undefined)[]): Row {
  const attack = attacks[name]?.name ?? name
  const rounds = all.filter(round => round !== undefined)
  if (rounds.length < all.length) return { attack, ending: 'not even prepared', held: 'no' }
  const middle = (of: 'quiet' | 'attacked', share: number): number =>
    rounded(median(rounds.map(round => percentile(round[of], share))))
  const most = (of: (round: Round) => number): number => Math.max(...rounds.map(of))
  const [quiet, attacked] = [middle('quiet', 0.99), middle('attacked', 0.99)]
  const [before, peak, after] = [most(round => round.before), most(round => round.peak), most(round => round.after)]
  const ceiling = attacks[name]?.memory ?? memoryOfMost
  const wrong = rounds.find(({ ending }) => !ending.isRight)
  const faults = [
    ...(attacked > Math.max(floorMs, mostTimesSlower * quiet) ? ['slow'] : []),
    ...(peak > ceiling.peak || after > ceiling.kept ? ['memory'] : []),
    ...(wrong ? ['ending'] : []),
  ]
  return {
    attack,
    'p50 quiet → attacked': `${middle('quiet', 0.5)} → ${middle('attacked', 0.5)}`,
    p99: `${quiet} → ${attacked}`,
    'p99 of each round': rounds.map(round => percentile(round.attacked, 0.99)).join(', '),
    max: `${most(round => percentile(round.quiet, 1))} → ${most(round => percentile(round.attacked, 1))}`,
    'longest turn, turns above 20 ms': `${most(round => round.longestMs)}, ${most(round => round.above20)}`,
    'MB before, peak, after': `${before}, ${peak}, ${after}`,
    'at most': `${ceiling.peak}, ${ceiling.kept}`,
    ending: (wrong ?? (rounds[0] as Round)).ending.text,
    held: faults.length === 0 ? 'yes' : `no: ${faults.join(', ')}`,
  }
}
