import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { type Contact, type Kith, openKith } from '@kith/client'
import { sqlite } from '@kith/client/sqlite'
import { Breach } from '../breach.ts'
import { Random } from '../random.ts'
import { Report } from '../report.ts'

/** The longest time for which a device saves before it is killed, in milliseconds. */
const longestMs = 250

/** Repeatedly kills a device with SQLite while it saves, and checks each time that all acknowledged saves are stored [D1]. */
export async function killDevice({ kills, seed }: { kills: number; seed: number }): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'kith-device-'))
  const report = new Report('kills', kills, seed)
  const random = new Random(seed)
  const saved: number[] = []
  let begun = 0
  try {
    for (let kill = 1; kill <= kills; kill++) {
      const told = await killedWhileSaving(folder, begun + 1, random.below(longestMs))
      saved.push(...told.saved)
      begun = told.begun
      const isLastThere = await look(folder, saved, begun)
      const what = isLastThere ? 'killed between saves, or with all on the disk' : 'killed in the middle of a save'
      report.add({ names: [what], counts: { 'rounds saved': told.saved.length } })
    }
    await rm(folder, { recursive: true, force: true })
    report.end()
    return 0
  } catch (error) {
    report.fail(error instanceof Breach ? error.message : error, `the folder: ${folder}`)
    return 1
  }
}

interface Told {
  begun: number
  saved: number[]
}

/** Resolves to the output of the device until it was killed. */
async function killedWhileSaving(folder: string, first: number, afterMs: number): Promise<Told> {
  const script = fileURLToPath(new URL('./saves.js', import.meta.url))
  const child = spawn(process.execPath, [script, folder, String(first)], { stdio: ['ignore', 'pipe', 'inherit'] })
  const told: Told = { begun: first - 1, saved: [] }
  let begin: (() => void) | undefined
  const hasBegun = new Promise<void>(resolve => {
    begin = resolve
  })
  const lines = createInterface(child.stdout).on('line', line => {
    const [what, round] = line.split(' ')
    if (what === 'begin') told.begun = Number(round)
    else told.saved.push(Number(round))
    begin?.()
  })
  const closed = once(child, 'close')
  await Promise.race([hasBegun, closed])
  await sleep(afterMs)
  if (child.exitCode !== null) throw new Breach(`the device ended by itself with ${child.exitCode}`)
  child.kill('SIGKILL')
  await Promise.all([closed, once(lines, 'close').catch(() => undefined)])
  return told
}

/** Opens the device as after a restart. Returns whether all changes of the last round are stored. */
async function look(folder: string, saved: readonly number[], begun: number): Promise<boolean> {
  const kith = await openKith({
    ...{ url: 'ws://127.0.0.1:9', token: 'none', user: 'ada', connect: false },
    storage: sqlite(folder),
  })
  try {
    const round = Number(kith.ownProfile.get('round') ?? 0)
    const last = saved.at(-1) ?? 0
    if (round < last) throw new Breach(`round ${last} was saved, and the profile is of round ${round} [D1]`)
    if (round > begun) throw new Breach(`round ${round} is there, and only ${begun} were begun`)
    const friends = new Map((await contactsOf(kith)).map(contact => [contact.id, contact]))
    for (const number of saved) {
      const { label, levels } = friends.get(`friend-${number}`) ?? {}
      if (label === `Friend ${number}` && levels?.[0] === number % 5) continue
      throw new Breach(`friend-${number} was saved, and is not there [D1]`)
    }
    // Each round has two changes of the profile and one of the roster.
    const least = saved.length * 3
    if (kith.unsent < least) throw new Breach(`${kith.unsent} changes are unsent, and ${least} were saved [D1]`)
    return round === begun && friends.has(`friend-${begun}`)
  } finally {
    await kith.close()
  }
}

function contactsOf(kith: Kith): Promise<Contact[]> {
  return new Promise((resolve, reject) => {
    const subscription = kith.contacts().subscribe({
      next(rows) {
        resolve(rows)
        queueMicrotask(() => subscription.unsubscribe())
      },
      error: reject,
    })
  })
}
