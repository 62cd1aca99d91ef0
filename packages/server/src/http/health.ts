import type { FastifyInstance } from 'fastify'

/** For load balancers and monitors; no key. `healthz`: the process runs; `readyz`: it takes devices. */
export function healthRoutes(app: FastifyInstance, isReady: () => boolean): void {
  app.get('/healthz', async () => ({ status: 'ok' }))
  app.get('/readyz', async (_request, reply) =>
    isReady() ? { status: 'ready' } : reply.status(503).send({ status: 'stopping' }),
  )
}
