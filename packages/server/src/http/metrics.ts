import type { FastifyInstance } from 'fastify'
import type { Context } from '../socket/context.ts'
import { checkKey } from './admin-key.ts'
import { isFromThisMachine } from './loopback.ts'

/**
 * Metrics for Prometheus. The figures count the actions of all users, so strangers must not read them [V10]. No key is needed
 * only if the server is for this machine alone (`isOpen`) and the request comes from this machine.
 */
export function metricsRoute(app: FastifyInstance, { metrics }: Context, adminKey: string, isOpen: boolean): void {
  app.get('/metrics', async (request, reply) => {
    if (!isOpen || !isFromThisMachine(request.raw)) checkKey(request.raw, adminKey)
    return reply.type(metrics.registry.contentType).send(await metrics.registry.metrics())
  })
}
