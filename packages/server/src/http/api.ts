import { timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import type { Context } from '../socket/context.ts'
import { requestDeadlineMs } from './connections.ts'
import { healthRoutes } from './health.ts'
import { insightRoutes } from './insight.ts'
import { pairRoutes } from './pairs.ts'
import { ApiError } from './request.ts'
import { userRoutes } from './users.ts'

export interface ApiOptions {
  adminKey: string
  isReady: () => boolean
  /** Ends the user's sessions: their tokens count no more. */
  endSessions: (user: string) => void
}

/** The backend's API (design, 2.3): JSON over HTTP, behind the admin key. */
export function createApi(context: Context, options: ApiOptions): FastifyInstance {
  const app = fastify({
    logger: false,
    routerOptions: { maxParamLength: 1024, ignoreTrailingSlash: false },
    bodyLimit: 64 * 1024,
    forceCloseConnections: true,
    keepAliveTimeout: requestDeadlineMs,
    // Behind the deadline of `Connections`, for a server that is opened without it.
    requestTimeout: 2 * requestDeadlineMs,
    frameworkErrors: (error, _request, reply) => sendError(reply, 400, 'malformed', error.message),
  })
  // A request without a body may still say that its body is JSON.
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
  healthRoutes(app, context, options.isReady)
  void app.register(async admin => {
    admin.addHook('onRequest', async request => checkKey(request.raw, options.adminKey))
    userRoutes(admin, context, options.endSessions)
    pairRoutes(admin, context)
    insightRoutes(admin, context)
  })
  return app
}

function answerError(error: unknown, request: FastifyRequest, reply: FastifyReply, context: Context): FastifyReply {
  if (error instanceof ApiError) return sendError(reply, error.statusCode, error.code, error.message)
  const { statusCode, message } = error as { statusCode?: number; message?: string }
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500) {
    return sendError(reply, statusCode === 413 ? 413 : 400, 'malformed', message ?? 'the request is malformed')
  }
  context.log.error({ err: error, method: request.method, url: request.routeOptions.url }, 'a request failed')
  return sendError(reply, 503, 'unavailable', 'the server could not do this now: try again later')
}

function sendError(reply: FastifyReply, status: number, code: string, message: string): FastifyReply {
  return reply.status(status).send({ error: { code, message } })
}

function checkKey(request: IncomingMessage, adminKey: string): void {
  const given = Buffer.from(request.headers.authorization ?? '')
  const wanted = Buffer.from(`Bearer ${adminKey}`)
  if (given.length !== wanted.length || !timingSafeEqual(given, wanted)) {
    throw new ApiError(401, 'unauthorised', 'send the header Authorization: Bearer <admin key>')
  }
}
