import { createServer as createHttpServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createServer, type EmbeddedServer } from '@kith/server'
import { descriptorProblem } from '@kith/server/descriptors'

/** Embeds Kith in an app with its own routes. Resolves to the responses of the app and of Kith. */
export async function embed(folder: string): Promise<{ app: string; ready: number; user: string }> {
  const problem = descriptorProblem()
  if (problem !== undefined) throw new Error(problem)
  const kith: EmbeddedServer = await createServer({ folder, adminKey: 'the admin key of this app' })
  const server = createHttpServer((_, response) => response.end('the app'))
  kith.attach(server)
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const headers = { authorization: `Bearer ${kith.adminKey}` }
  const { status } = await fetch(`${url}/v1/users`, { headers })
  const { user } = await kith.verifyToken(await kith.issueToken('ada'))
  const app = await (await fetch(url)).text()
  await kith.close()
  await new Promise(resolve => server.close(resolve))
  return { app, ready: status, user }
}
