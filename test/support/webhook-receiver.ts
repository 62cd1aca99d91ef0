import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Webhook } from 'standardwebhooks'
import { onTestFinished } from 'vitest'

export const webhookSecret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'
export const otherSecret = 'whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8='

export interface Received {
  id: string
  type: string
  timestamp: string
  data: Record<string, unknown>
  headers: Record<string, string>
  body: string
}

/** How a receiver responds. `hang`: it never responds. */
type Answer = number | 'hang' | ((request: Received, response: ServerResponse) => void)

/** A real HTTP server that accepts events, as an app's backend does. */
export interface Receiver {
  readonly url: string
  /** All received events in order, whatever the response was. */
  readonly received: readonly Received[]
  /** The events that received a 2xx response. */
  readonly taken: readonly Received[]
  /** By default 204. */
  answer: (event: Received) => Answer
  close(): Promise<void>
}

export async function startReceiver(port = 0): Promise<Receiver> {
  const received: Received[] = []
  const taken: Received[] = []
  const receiver: Receiver = { url: '', received, taken, answer: () => 204, close: async () => undefined }
  const server = createServer((request, response) => {
    void eventOf(request).then(event => {
      received.push(event)
      const answer = receiver.answer(event)
      if (answer === 'hang') return
      if (typeof answer === 'function') return answer(event, response)
      if (answer < 300) taken.push(event)
      response.writeHead(answer).end()
    })
  })
  await new Promise<void>(resolve => server.listen(port, '127.0.0.1', resolve))
  const { port: taking } = server.address() as AddressInfo
  const close = async (): Promise<void> => {
    server.closeAllConnections()
    await new Promise<void>(resolve => server.close(() => resolve()))
  }
  onTestFinished(close)
  return Object.assign(receiver, { url: `http://127.0.0.1:${taking}/events`, close })
}

async function eventOf(request: IncomingMessage): Promise<Received> {
  let body = ''
  for await (const part of request) body += part
  const headers = request.headers as Record<string, string>
  return { id: headers['webhook-id'] ?? '', ...JSON.parse(body), headers, body }
}

/** Throws unless the library of Standard Webhooks accepts the signature for this secret. */
export function verify({ body, headers }: Received, secret: string): unknown {
  return new Webhook(secret).verify(body, headers)
}

export async function until(isTrue: () => boolean | Promise<boolean>, what: string, forMs = 20_000): Promise<void> {
  const end = Date.now() + forMs
  while (!(await isTrue())) {
    if (Date.now() > end) throw new Error(`not in time: ${what}`)
    await new Promise(resolve => setTimeout(resolve, 5))
  }
}
