import { type Logger, pino } from 'pino'
import { systemClock } from '../clock.ts'
import type { Cluster } from '../cluster.ts'
import { type Environment, SettingsError } from '../environment.ts'
import { boundHeapGrowth } from '../heap-growth.ts'
import { collectWhenIdle } from '../idle-collection.ts'
import { EventRoom } from '../relations/event-room.ts'
import type { Store } from '../relations/store.ts'
import { type Routes, startServer } from '../server.ts'
import { readSettings, type Settings } from '../settings.ts'
import { Scrubbing } from '../store/level/files/scrubbing.ts'
import { DamagedFolderError, openLevelStore } from '../store/level/open.ts'
import { receiverOf } from '../webhooks/receiver.ts'

/**
 * Runs the server until it receives a signal to stop. Prints one line when it is ready. Logs go to the standard error.
 *
 * @param args - The arguments of the command line, after `serve`.
 * @param env - The environment.
 * @param routes - The app's own routes, beside Kith's.
 * @returns Resolves to the exit code, when the server has stopped.
 * @throws SettingsError For a wrong setting, which the message names. Otherwise the error of the store or the network.
 */
export async function runServe(args: readonly string[], env: Environment, routes?: Routes): Promise<number> {
  const settings = await readSettings(args, env)
  boundHeapGrowth()
  collectWhenIdle(systemClock)
  const log = pino({ level: settings.logLevel }, pino.destination({ dest: 2, sync: true }))
  const room = settings.webhook && new EventRoom(settings.webhook)
  const outdated = signalled<Error>()
  const store = await openConfiguredStore(settings, log, room, outdated.signal)
  let cluster: Cluster | undefined
  let server: Awaited<ReturnType<typeof startServer>>
  try {
    cluster = await openConfiguredCluster(settings, store, log)
    const webhook = settings.webhook && room && { room, send: receiverOf(settings.webhook, systemClock) }
    server = await startServer({ ...settings, store, cluster, clock: systemClock, log, routes, webhook })
  } catch (error) {
    await cluster?.stays.close()
    await cluster?.bus.close()
    await store.close()
    throw explained(error, settings.host, settings.port)
  }
  const stopped = untilStopped()
  process.stdout.write(`listening on ${server.url}\n`)
  const { damaged, scrubbing } = settings.database ? neverDamaged : scrub(settings.folder)
  const end = await Promise.race([stopped, damaged, outdated.promise])
  await scrubbing?.close()
  if (typeof end === 'string') log.info({ signal: end }, 'stopping')
  else log.fatal(end instanceof DamagedFolderError ? { damages: end.damages } : {}, end.message)
  await server.close()
  return typeof end === 'string' ? 0 : 1
}

/** A database verifies its own files. */
const neverDamaged = { damaged: new Promise<never>(() => undefined), scrubbing: undefined }

/** A damaged folder is not served any longer, because the data that was read from it may be wrong. */
function scrub(folder: string): { damaged: Promise<DamagedFolderError>; scrubbing: Scrubbing } {
  const { promise: damaged, signal: found } = signalled<DamagedFolderError>()
  const scrubbing = Scrubbing.begin(folder, {
    clock: systemClock,
    found: damages => found(new DamagedFolderError(folder, damages)),
  })
  return { damaged, scrubbing }
}

/** A promise, and the function that resolves it. */
function signalled<T>(): { promise: Promise<T>; signal: (value: T) => void } {
  let signal: (value: T) => void = () => undefined
  const promise = new Promise<T>(resolve => {
    signal = resolve
  })
  return { promise, signal }
}

/** The store of a database is loaded only if a database is used. */
async function openConfiguredStore(
  { folder, database, limits }: Settings,
  log: Logger,
  room: EventRoom | undefined,
  onOutdated: (error: Error) => void,
): Promise<Store> {
  const options = { limits, clock: systemClock, room }
  if (!database) {
    const onMigration = (format: number, records: number): void =>
      log.info({ format, records }, 'the data folder is migrated')
    return openLevelStore(folder, { ...options, onMigration })
  }
  const { openPostgresStore } = await import('../store/postgres/open.ts')
  const warn = (warning: string): void => log.warn(warning)
  return openPostgresStore(database.url, { ...options, ...database, warn, onOutdated })
}

/** The parts that nodes share are loaded only if there may be other nodes. */
async function openConfiguredCluster(
  { database, natsUrl }: Settings,
  { cursorKey: secret }: Store,
  log: Logger,
): Promise<Cluster | undefined> {
  if (!database) return undefined
  const { openCluster } = await import('../bus/open.ts')
  return openCluster({ database, natsUrl, secret, clock: systemClock, log })
}

function untilStopped(): Promise<string> {
  return new Promise(resolve => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => resolve(signal))
  })
}

function explained(error: unknown, host: string, port: number): unknown {
  const { code } = error as { code?: string }
  if (code === 'EADDRINUSE') return new SettingsError(`port ${port} on ${host} is taken: give another with --port`)
  if (code === 'EACCES') return new SettingsError(`port ${port} may not be used by this user: give one above 1023`)
  if (['ENOTFOUND', 'EAI_AGAIN', 'EADDRNOTAVAIL', 'EAFNOSUPPORT'].includes(code ?? '')) {
    return new SettingsError(`${host} is no address of this machine: give another with --host`)
  }
  return error
}
