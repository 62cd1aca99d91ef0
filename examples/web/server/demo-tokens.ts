import { isFromThisMachine, namesLoopback, type RouteHost, type Routes } from '@kith/server'
import { isUserId } from '@kith/shared'

/**
 * `POST /demo/tokens { "user": "alice" }` → `{ "token": … }`: issues a token for any user, without a check of the caller's
 * identity.
 *
 * Therefore the route exists only on a server that listens on loopback with secrets that it generated. A server with given
 * secrets, or behind a proxy that it knows, serves other machines too. The route answers only callers on this machine whose
 * browser shows a page of this server. It refuses a page from another site (`Origin`), a page whose domain name was pointed at
 * this machine (`Host`), and requests through a proxy that names itself. A proxy that does not name itself cannot be
 * distinguished from this machine.
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
