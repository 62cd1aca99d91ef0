import { type ChildProcess, spawn } from 'node:child_process'
import { connect } from 'node:net'
import { setTimeout } from 'node:timers/promises'
import { freePort } from '@kith/local-postgres'
import { findProgram } from './find-program.ts'

/** A NATS server for one test, on the loopback interface. */
export interface NatsServer {
  readonly url: string
  /** Ends the server immediately, as a crash does. */
  kill(): Promise<void>
  /** Starts the server again on the same port. */
  start(): Promise<void>
  stop(): Promise<void>
}

/** Returns the program `nats-server`, or `undefined` if it is not installed. */
export function findNats(): Promise<string | undefined> {
  return findProgram('nats-server')
}

/** `options`: as on the command line of nats-server. */
export async function startNats(options: readonly string[] = []): Promise<NatsServer> {
  const program = await findNats()
  if (!program) throw new Error('NATS is not installed: install the package nats-server')
  const port = await freePort()
  let child: ChildProcess | undefined
  let ended: Promise<void> = Promise.resolve()
  // Also if the tests end before they have the server.
  const leave = (): void => void child?.kill('SIGKILL')
  process.once('exit', leave)

  async function start(): Promise<void> {
    child = spawn(program as string, ['-a', '127.0.0.1', '-p', String(port), ...options], { stdio: 'ignore' })
    ended = new Promise(resolve => child?.once('exit', () => resolve()))
    for (let attempt = 0; !(await isListening(port)); attempt++) {
      if (attempt === 200 || child.exitCode !== null) throw new Error('nats-server does not listen')
      await setTimeout(50)
    }
  }

  async function kill(): Promise<void> {
    child?.kill('SIGKILL')
    await ended
  }

  await start()
  return {
    url: `nats://127.0.0.1:${port}`,
    kill,
    start,
    async stop() {
      await kill()
      process.off('exit', leave)
    },
  }
}

export function isListening(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect(port, '127.0.0.1')
    const end = (is: boolean): void => {
      socket.destroy()
      resolve(is)
    }
    socket.once('connect', () => end(true)).once('error', () => end(false))
  })
}
