import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate as breathe, setTimeout as pause } from 'node:timers/promises'
import type { ServerProcess } from '@kith/bench/server-process'
import type { Random } from './random.ts'

/** When the server is killed: how often each, by weight. */
const weights = { load: 4, write: 3, answer: 3, stop: 1 } as const

export type Moment = keyof typeof weights

export function pickMoment(random: Random): Moment {
  return random.weighted(weights)
}

/** Everything that a moment may wait for. */
export interface Scene {
  server: ServerProcess
  folder: string
  random: Random
  /** Calls back at the next answer to a device, in the same breath. */
  onNextAnswer(callback: () => void): void
}

/** Lets the load run for a while, then kills the server in that moment, and resolves when it is dead. */
export async function killAt(moment: Moment, { server, folder, random, onNextAnswer }: Scene): Promise<void> {
  await pause(random.between(20, 400))
  switch (moment) {
    case 'load':
      break
    case 'write':
      await untilLogGrows(folder)
      break
    case 'answer':
      // Whatever was promised in that answer must hold from here on.
      await new Promise<void>(resolve => {
        const timer = setTimeout(resolve, 1_000)
        onNextAnswer(() => {
          process.kill(server.pid, 'SIGKILL')
          clearTimeout(timer)
          resolve()
        })
      })
      break
    case 'stop':
      // It flushes and closes; half of the time it doesn't come to the end of that.
      process.kill(server.pid, 'SIGTERM')
      await pause(random.below(60))
  }
  await server.kill()
}

/** A batch is being written: between the write and its sync, or just after. */
async function untilLogGrows(folder: string): Promise<void> {
  const before = logBytes(folder)
  const patience = Date.now() + 1_000
  while (logBytes(folder) === before && Date.now() < patience) await breathe()
}

function logBytes(folder: string): number {
  const store = join(folder, 'store')
  const logs = readdirSync(store).filter(name => name.endsWith('.log'))
  return logs.reduce((sum, name) => sum + (statSync(join(store, name), { throwIfNoEntry: false })?.size ?? 0), 0)
}
