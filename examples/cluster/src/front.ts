import { once } from 'node:events'
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import { connect } from 'node:net'
import type { Balancer } from './balancer.ts'
import { type Node, tokenFrom } from './nodes.ts'

/**
 * The address for the browser: it serves the page from any node, passes the page's sockets to the balancer, and answers the
 * page's requests about the nodes.
 */
export interface Front {
  readonly port: number
  close(): void
}

export async function startFront(nodes: readonly Node[], balancer: Balancer): Promise<Front> {
  const server = createServer((incoming, response) => {
    respond(incoming, response, nodes, balancer).catch((error: unknown) => {
      if (!response.headersSent) answer(response, 503, { error: { message: String(error) } })
      else response.destroy()
    })
  })
  server.on('upgrade', (incoming: IncomingMessage, device, head: Buffer) => {
    const toNode = connect(balancer.port, '127.0.0.1')
    toNode.on('error', () => device.destroy())
    device.on('error', () => toNode.destroy())
    toNode.once('close', () => device.destroy())
    device.once('close', () => toNode.destroy())
    toNode.write(`${requestHead(incoming)}\r\n\r\n`)
    toNode.write(head)
    device.pipe(toNode)
    toNode.pipe(device)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as { port: number }).port,
    close: () => {
      server.close()
      server.closeAllConnections()
    },
  }
}

async function respond(
  incoming: IncomingMessage,
  response: ServerResponse,
  nodes: readonly Node[],
  balancer: Balancer,
): Promise<void> {
  const { method, url = '/' } = incoming
  const node = nodes.find(({ isRunning }) => isRunning)
  if (!node) return answer(response, 503, { error: { message: 'no node is running' } })
  if (method === 'GET' && url === '/nodes') return answer(response, 200, stateOf(nodes, balancer))
  if (method !== 'POST') return pass(incoming, response, node)
  if (!isFromThisPage(incoming))
    return answer(response, 403, { error: { message: 'only for the page of this server' } })
  if (url === '/demo/tokens') {
    const { user } = JSON.parse(await bodyOf(incoming)) as { user: string }
    return answer(response, 200, { token: await tokenFrom(`http://127.0.0.1:${node.port}`, user) })
  }
  const [, number, verb] = /^\/nodes\/(\d+)\/(kill|start)$/.exec(url) ?? []
  const wanted = nodes.find(one => String(one.number) === number)
  if (!wanted) return answer(response, 404, { error: { message: 'there is no such node' } })
  if (verb === 'kill' && nodes.filter(({ isRunning }) => isRunning).length === 1)
    return answer(response, 409, { error: { message: 'this is the last node' } })
  if (verb === 'kill') await wanted.kill()
  else if (!wanted.isRunning) await wanted.restart()
  answer(response, 200, stateOf(nodes, balancer))
}

/** Returns which nodes run, and on which node the devices of each user are. */
function stateOf(nodes: readonly Node[], balancer: Balancer): object {
  return {
    nodes: nodes.map(({ number, isRunning }) => ({ number, isRunning })),
    nodeByUser: Object.fromEntries(balancer.users.map(user => [user, balancer.nodeOf(user).number])),
  }
}

/** The page and its files are the same on each node. */
function pass(incoming: IncomingMessage, response: ServerResponse, { port }: Node): void {
  const { method, url, headers } = incoming
  const asked = request({ ...{ host: '127.0.0.1', port, method, path: url }, headers }, given => {
    response.writeHead(given.statusCode ?? 502, given.headers)
    given.pipe(response)
  })
  asked.on('error', () => response.destroy())
  incoming.pipe(asked)
}

/** A page from another site has another origin. A domain name that was pointed at this machine is not a numeric address. */
function isFromThisPage({ headers }: IncomingMessage): boolean {
  const isHere = /^127\.0\.0\.1:\d+$/.test(headers.host ?? '')
  return isHere && (headers.origin === undefined || headers.origin === `http://${headers.host}`)
}

function requestHead({ method, url, rawHeaders }: IncomingMessage): string {
  const lines = rawHeaders.flatMap((name, index) => (index % 2 === 0 ? [`${name}: ${rawHeaders[index + 1]}`] : []))
  return [`${method} ${url} HTTP/1.1`, ...lines].join('\r\n')
}

async function bodyOf(incoming: IncomingMessage): Promise<string> {
  let text = ''
  for await (const chunk of incoming.setEncoding('utf8')) {
    text += chunk
    if (text.length > 10_000) throw new Error('the request is too long')
  }
  return text
}

function answer(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' })
  response.end(JSON.stringify(body))
}
