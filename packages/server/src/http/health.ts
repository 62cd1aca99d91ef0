import type { FastifyInstance } from 'fastify'
import type { Store } from '../relations/store.ts'

/**
 * Routes for load balancers and monitors, without a key. `healthz`: the process runs, and a restart would not help. `readyz`:
 * the server accepts devices and their changes. A node of several is not ready without its lease, while it is behind the
 * others, or without a required standby.
 */
export function healthRoutes(
  app: FastifyInstance,
  store: Pick<Store, 'refusal' | 'lease' | 'node'>,
  isReady: () => boolean,
): void {
  app.get('/healthz', async () => ({ status: 'ok' }))
  app.get('/readyz', async (_request, reply) => {
    const { refusal } = store
    if (!isReady()) return reply.status(503).send({ status: 'stopping' })
    if (!store.lease.isCurrent()) return reply.status(503).send({ status: 'no-lease' })
    if (store.node?.lacksStandby) return reply.status(503).send({ status: 'no-standby' })
    if (store.node?.isBehind) return reply.status(503).send({ status: 'behind' })
    return refusal ? reply.status(503).send({ status: 'read-only', reason: refusal.reason }) : { status: 'ready' }
  })
}
