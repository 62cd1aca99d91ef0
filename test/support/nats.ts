import { type ChildProcess, spawn } from 'node:child_process'
import { access } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { delimiter, join } from 'node:path'
import { setTimeout } from 'node:timers/promises'

/** A NATS server of a test's own, on the loopback interface. */
export interface NatsServer {
  readonly url: string
  /** Ends it at once, as a crash does. */
  kill(): Promise<void>
  /** Starts it again, at the same port. */
  start(): Promise<void>
  stop(): Promise<void>
}

/** The program `nats-server`, or `undefined` where it is not installed. */
export async function findNats(): Promise<string | undefined> {
  for (const folder of [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin']) {
    const program = join(folder, 'nats-server')
    if (
      await access(program).then(
        () => true,
        () => false,
      )
    )
      return program
  }
  return undefined
}

/** `options` as on the command line of nats-server. */
export async function startNats(options: readonly string[] = []): Promise<NatsServer> {
  const program = await findNats()
  if (!program) throw new Error('NATS is not installed: install the package nats-server')
  const port = await freePort()
  let child: ChildProcess | undefined
  let ended: Promise<void> = Promise.resolve()
  // Also when the tests end before they have the server.
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

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  await new Promise(resolve => server.close(resolve))
  return port
}

function isListening(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect(port, '127.0.0.1')
    const end = (is: boolean): void => {
      socket.destroy()
      resolve(is)
    }
    socket.once('connect', () => end(true)).once('error', () => end(false))
  })
}
