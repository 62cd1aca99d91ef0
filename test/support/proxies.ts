import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { promisify } from 'node:util'
import { freePort } from '@kith/local-postgres'
import { WebSocket } from 'ws'
import { findProgram } from './find-program.ts'
import { isListening } from './nats.ts'

/** A reverse proxy for one test, with the configuration of `deploy/`. It ends TLS on the loopback interface. */
export interface ReverseProxy {
  readonly url: string
  stop(): Promise<void>
}

/** A client's websocket that accepts the test's certificate. */
export class TrustingSocket extends WebSocket {
  constructor(url: string, protocols: string[]) {
    super(url, protocols, { rejectUnauthorized: false })
  }
}

/** HAProxy in front of these servers. Settings of the machine are replaced: port, certificate, addresses of servers. */
export async function startHaproxy(servers: readonly string[]): Promise<ReverseProxy> {
  return start('haproxy', async ({ folder, port, certificate }) => {
    const text = await deployed('haproxy.cfg')
    const others = text.replace(/^ {2}server .*\n/gm, '')
    const lines = servers.map((url, index) => `  server node${index + 1} ${new URL(url).host}\n`)
    const settings = replaced(others, [
      [':443', `127.0.0.1:${port}`],
      ['/etc/haproxy/kith.pem', certificate],
      ['maxconn 100000', 'maxconn 1000'],
    ])
    await writeFile(join(folder, 'haproxy.cfg'), settings + lines.join(''))
    return ['-db', '-f', join(folder, 'haproxy.cfg')]
  })
}

/** nginx in front of a server. */
export async function startNginx(server: string): Promise<ReverseProxy> {
  return start('nginx', async ({ folder, port, certificate }) => {
    const site = replaced(await deployed('nginx.conf'), [
      ['listen 443 ssl', `listen 127.0.0.1:${port} ssl`],
      ['/etc/ssl/kith.example.org.pem', certificate],
      ['/etc/ssl/private/kith.example.org.pem', certificate],
      ['127.0.0.1:4180', new URL(server).host],
    ])
    const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    const temporary = paths.map(name => `${name}_temp_path ${join(folder, name)};`).join('\n')
    const around = `daemon off; master_process off; pid ${join(folder, 'pid')}; error_log stderr warn;
events {}
http { access_log off; ${temporary}\n${site}\n}`
    await writeFile(join(folder, 'nginx.conf'), around)
    return ['-p', folder, '-c', join(folder, 'nginx.conf'), '-e', 'stderr']
  })
}

interface Place {
  folder: string
  port: number
  /** The path of the file with the certificate and its key. */
  certificate: string
}

async function start(name: string, configure: (place: Place) => Promise<string[]>): Promise<ReverseProxy> {
  const program = await findProgram(name)
  if (!program) throw new Error(`${name} is not installed: install the package ${name}`)
  const folder = await mkdtemp(join(tmpdir(), `kith-${name}-`))
  const port = await freePort()
  const args = await configure({ folder, port, certificate: await makeCertificate(folder) })
  const child = spawn(program, args, { stdio: ['ignore', 'inherit', 'inherit'] })
  // Also if the tests end before they have the proxy.
  const leave = (): void => void child.kill('SIGKILL')
  process.once('exit', leave)
  await untilListening(child, name, port)
  return {
    url: `https://127.0.0.1:${port}`,
    async stop() {
      const ended = child.exitCode === null ? once(child, 'exit') : undefined
      leave()
      await ended
      process.off('exit', leave)
      await rm(folder, { recursive: true })
    },
  }
}

async function untilListening(child: ChildProcess, name: string, port: number): Promise<void> {
  for (let attempt = 0; !(await isListening(port)); attempt++) {
    if (attempt === 200 || child.exitCode !== null) throw new Error(`${name} does not listen`)
    await setTimeout(50)
  }
}

async function makeCertificate(folder: string): Promise<string> {
  const [key, certificate] = [join(folder, 'key.pem'), join(folder, 'certificate.pem')]
  const options = ['-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '1', '-subj', '/CN=localhost']
  await promisify(execFile)('openssl', ['req', ...options, '-keyout', key, '-out', certificate])
  const both = join(folder, 'both.pem')
  await writeFile(both, (await readFile(certificate, 'utf8')) + (await readFile(key, 'utf8')))
  return both
}

function deployed(name: string): Promise<string> {
  return readFile(new URL(`../../deploy/${name}`, import.meta.url), 'utf8')
}

/** Throws if there is nothing to replace. Otherwise the test would run a different configuration than it claims. */
function replaced(text: string, pairs: readonly (readonly [string, string])[]): string {
  return pairs.reduce((result, [from, to]) => {
    if (!result.includes(from)) throw new Error(`the configuration has no ${from}`)
    return result.replaceAll(from, to)
  }, text)
}
