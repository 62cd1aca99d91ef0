import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate as breathe, setTimeout as pause } from 'node:timers/promises'
import type { ServerProcess } from '@kith/bench/server-process'
import type { Random } from './random.ts'

/** The moments at which the server is killed, with their weights. */
const weights = { load: 4, write: 3, answer: 3, stop: 1, 'new log': 0.5 } as const

export type Moment = keyof typeof weights

export function pickMoment(random: Random): Moment {
  return random.weighted(weights)
}

/** Everything that a moment may wait for. */
export interface Scene {
  server: ServerProcess
  folder: string
  random: Random
  /** Calls back at the next answer to a device, in the same turn of the event loop. */
  onNextAnswer(callback: () => void): void
}

/** Lets the load run for a while, and then kills the server at that moment. Resolves when the server has ended. */
export async function killAt(moment: Moment, { server, folder, random, onNextAnswer }: Scene): Promise<void> {
  await pause(random.between(20, 400))
  switch (moment) {
    case 'load':
      break
    case 'write':
      await untilLogGrows(folder)
      break
    case 'new log':
      await untilNewLog(folder)
      await pause(random.below(50))
      break
    case 'answer':
      // Every promise in that answer must hold from here on.
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
      // The server flushes and closes. In half of the cases, it is killed before it has finished.
      process.kill(server.pid, 'SIGTERM')
      await pause(random.below(60))
  }
  await server.kill()
}

/** Waits until a batch is being written: between the write and its sync, or just after. */
async function untilLogGrows(folder: string): Promise<void> {
  const before = logBytes(folder)
  const patience = Date.now() + 1_000
  while (logBytes(folder) === before && Date.now() < patience) await breathe()
}

/**
 * Waits until LevelDB's log is full (4 MiB). LevelDB then begins another log, writes the contents of the first one to a table,
 * and merges tables.
 */
async function untilNewLog(folder: string): Promise<void> {
  const before = logsIn(folder).join()
  const patience = Date.now() + 10_000
  while (logsIn(folder).join() === before && Date.now() < patience) await pause(2)
}

function logBytes(folder: string): number {
  const sizes = logsIn(folder).map(path => statSync(path, { throwIfNoEntry: false })?.size ?? 0)
  return sizes.reduce((sum, size) => sum + size, 0)
}

function logsIn(folder: string): string[] {
  const store = join(folder, 'store')
  const names = readdirSync(store).filter(name => name.endsWith('.log'))
  return names.map(name => join(store, name)).sort()
}
