import type { FastifyInstance } from 'fastify'
import type { Context } from '../socket/context.ts'

/** For load balancers and monitors; no key. `healthz`: the process runs; `readyz`: it takes devices. */
export function healthRoutes(app: FastifyInstance, { metrics }: Context, isReady: () => boolean): void {
  app.get('/healthz', async () => ({ status: 'ok' }))
  app.get('/readyz', async (_request, reply) =>
    isReady() ? { status: 'ready' } : reply.status(503).send({ status: 'stopping' }),
  )
  app.get('/metrics', async (_request, reply) =>
    reply.type(metrics.registry.contentType).send(await metrics.registry.metrics()),
  )
}
