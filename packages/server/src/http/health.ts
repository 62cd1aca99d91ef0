import type { FastifyInstance } from 'fastify'
import type { Context } from '../socket/context.ts'

/**
 * For load balancers and monitors; no key. `healthz`: the process runs, and to start it again would help nothing; `readyz`:
 * it takes devices and their changes.
 */
export function healthRoutes(app: FastifyInstance, { store, metrics }: Context, isReady: () => boolean): void {
  app.get('/healthz', async () => ({ status: 'ok' }))
  app.get('/readyz', async (_request, reply) => {
    const { refusal } = store
    if (!isReady()) return reply.status(503).send({ status: 'stopping' })
    return refusal ? reply.status(503).send({ status: 'read-only', reason: refusal.reason }) : { status: 'ready' }
  })
  app.get('/metrics', async (_request, reply) =>
    reply.type(metrics.registry.contentType).send(await metrics.registry.metrics()),
  )
}
