import type { FastifyInstance } from 'fastify'
import type { Store } from '../relations/store.ts'

/**
 * For load balancers and monitors; no key. `healthz`: the process runs, and to start it again would help nothing; `readyz`:
 * it takes devices and their changes.
 */
export function healthRoutes(app: FastifyInstance, store: Pick<Store, 'refusal'>, isReady: () => boolean): void {
  app.get('/healthz', async () => ({ status: 'ok' }))
  app.get('/readyz', async (_request, reply) => {
    const { refusal } = store
    if (!isReady()) return reply.status(503).send({ status: 'stopping' })
    return refusal ? reply.status(503).send({ status: 'read-only', reason: refusal.reason }) : { status: 'ready' }
  })
}
