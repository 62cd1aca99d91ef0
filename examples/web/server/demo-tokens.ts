import { isFromThisMachine, namesLoopback, type RouteHost, type Routes } from '@kith/server'
import { isUserId } from '@kith/shared'

/**
 * `POST /demo/tokens { "user": "alice" }` → `{ "token": … }`: whoever asks is whoever they say. So it is there only on a
 * server that listens on loopback with secrets of its own: with given ones, or behind a proxy that it knows, it serves
 * others. And it answers only callers on this machine whose browser shows a page of this server: not a page from elsewhere
 * (`Origin`), nor one whose name was made to point here (`Host`), nor through a proxy that says so. One that doesn't looks
 * like this machine.
 */
export function tokenRoute(app: Parameters<Routes>[0], { host, isForThisMachine, issueToken }: RouteHost): void {
  if (!namesLoopback(host) || !isForThisMachine) return
  app.post('/demo/tokens', async (request, reply) => {
    const { headers } = request.raw
    const isHere =
      isFromThisMachine(request.raw) && (headers.origin === undefined || headers.origin === `http://${headers.host}`)
    if (!isHere)
      return reply.status(403).send(failure('forbidden', 'demo tokens are for pages of this server, on this machine'))
    const { user } = (request.body ?? {}) as { user?: unknown }
    if (!isUserId(user))
      return reply.status(400).send(failure('malformed', 'name a user id, as in { "user": "alice" }'))
    return { token: await issueToken(user) }
  })
}

function failure(code: string, message: string): { error: { code: string; message: string } } {
  return { error: { code, message } }
}
