import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import { BackendEdits } from '../accounts/backend-edits.ts'
import { Unwritable } from '../relations/unwritable.ts'
import type { Context } from '../socket/context.ts'
import { checkKey } from './admin-key.ts'
import { requestDeadlineMs } from './connections.ts'
import { documentRoutes } from './documents.ts'
import { healthRoutes } from './health.ts'
import { insightRoutes } from './insight.ts'
import { messagePolicyRoutes } from './message-policy.ts'
import { metricsRoute } from './metrics.ts'
import { collectRoutes, openApiRoute } from './openapi.ts'
import { pairRoutes } from './pairs.ts'
import { ApiError } from './request.ts'
import { userRoutes } from './users.ts'
import { checkRequests } from './validation.ts'
import { webhookRoutes } from './webhooks.ts'

export interface ApiOptions {
  adminKey: string
  /** Requests from this machine may read `/metrics` without the key. */
  hasOpenMetrics: boolean
  isReady: () => boolean
  /** Ends the user's sessions. The user's tokens are no longer valid. */
  endSessions: (user: string) => void
}

/** The backend's API (docs/PROTOCOL.md): JSON over HTTP, behind the admin key. */
export function createApi(context: Context, options: ApiOptions): FastifyInstance {
  const app = fastify({
    logger: false,
    routerOptions: { maxParamLength: 1024, ignoreTrailingSlash: false },
    bodyLimit: 64 * 1024,
    forceCloseConnections: true,
    keepAliveTimeout: requestDeadlineMs,
    // A connection costs a descriptor, even a silent one. This timeout is longer than the deadline of `Connections`, for a
    // server that is opened without it.
    requestTimeout: 30_000,
    http: { headersTimeout: 10_000, connectionsCheckingInterval: 5_000 },
    frameworkErrors: (error, _request, reply) => sendError(reply, 400, 'malformed', error.message),
  })
  // A request without a body may still declare that its body is JSON.
  app.removeContentTypeParser('application/json')
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (_request, body, done) => {
    try {
      done(null, body === '' ? undefined : JSON.parse(body as string))
    } catch {
      done(new ApiError(400, 'malformed', 'the body is not JSON'), undefined)
    }
  })
  app.setErrorHandler((error: unknown, request, reply) => answerError(error, request, reply, context))
  app.setNotFoundHandler((_request, reply) => sendError(reply, 404, 'not-found', 'there is no such path or method'))
  checkRequests(app)
  healthRoutes(app, context.store, options.isReady)
  metricsRoute(app, context, options.adminKey, options.hasOpenMetrics)
  collectRoutes(app)
  openApiRoute(app)
  void app.register(async admin => {
    admin.addHook('onRequest', async request => checkKey(request.raw, options.adminKey))
    // A missing optional body is checked as an empty one.
    admin.addHook('preValidation', async request => {
      if (request.body === undefined) request.body = {}
    })
    userRoutes(admin, context, options.endSessions)
    const edits = new BackendEdits(context.store, context.accounts)
    documentRoutes(admin, context, edits)
    messagePolicyRoutes(admin, context, edits)
    pairRoutes(admin, context)
    insightRoutes(admin, context)
    webhookRoutes(admin, context)
  })
  return app
}

function answerError(error: unknown, request: FastifyRequest, reply: FastifyReply, context: Context): FastifyReply {
  if (error instanceof ApiError) return sendError(reply, error.statusCode, error.code, error.message)
  const { statusCode, message } = error as { statusCode?: number; message?: string }
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500) {
    const text = statusCode === 415 ? 'send the body with the header content-type: application/json' : message
    return sendError(reply, statusCode === 413 ? 413 : 400, 'malformed', text ?? 'the request is malformed')
  }
  if (error instanceof Unwritable) {
    void reply.header('retry-after', Math.ceil((error.retryAfterMs ?? 0) / 1000))
    return sendError(reply, 503, error.code, error.message)
  }
  context.log.error({ err: error, method: request.method, url: request.routeOptions.url }, 'a request failed')
  return sendError(reply, 503, 'unavailable', 'the server could not do this now: try again later')
}

function sendError(reply: FastifyReply, status: number, code: string, message: string): FastifyReply {
  return reply.status(status).send({ error: { code, message } })
}
