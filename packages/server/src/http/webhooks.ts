import type { FastifyInstance } from 'fastify'
import { type EventName, eventId, parseEventId, type StoredEvent } from '../relations/outbox.ts'
import type { Store } from '../relations/store.ts'
import type { Context } from '../socket/context.ts'
import { ApiError } from './request.ts'

/** As many dead letters as a page has, unless the caller wants fewer. */
const mostInPage = 100

/** Events that were given up: to be looked at, sent again, or dropped. */
export function webhookRoutes(app: FastifyInstance, { store }: Context): void {
  app.get<{ Querystring: { after?: string; limit?: string } }>('/v1/webhooks/dead', async ({ query }) => {
    const limit = limitOf(query.limit)
    const after = query.after === undefined ? undefined : nameOf(query.after)
    const found = await store.outbox.dead(after, limit)
    const last = found.length === limit ? found.at(-1) : undefined
    return { events: found.map(describe), ...(last && { next: eventId(last) }) }
  })

  app.post<{ Params: { id: string } }>('/v1/webhooks/dead/:id/retry', async (request, reply) => {
    const { name } = await deadOf(store, request.params.id)
    await store.commit({ type: 'events', revived: [name] })
    return reply.status(204).send()
  })

  app.delete<{ Params: { id: string } }>('/v1/webhooks/dead/:id', async (request, reply) => {
    const { name } = await deadOf(store, request.params.id)
    await store.commit({ type: 'events', removed: [name] })
    return reply.status(204).send()
  })
}

function describe(stored: StoredEvent): object {
  const { type, atMs, data, failed } = stored.event
  return {
    id: eventId(stored),
    type,
    timestamp: new Date(atMs).toISOString(),
    data,
    failedAt: new Date(failed?.atMs ?? 0).toISOString(),
    reason: failed?.reason ?? '',
  }
}

function nameOf(id: string): EventName {
  const parsed = parseEventId(id)
  if (parsed) return parsed
  throw new ApiError(400, 'malformed', 'give the id of an event, as GET /v1/webhooks/dead lists it')
}

async function deadOf({ outbox }: Store, id: string): Promise<StoredEvent> {
  const found = await outbox.find(nameOf(id))
  if (found?.event.failed && eventId(found) === id) return found
  throw new ApiError(
    404,
    'unknown-event',
    'no dead letter has this id: it was sent again, dropped, or erased with its user',
  )
}

function limitOf(value: string | undefined): number {
  if (value === undefined) return mostInPage
  const limit = Number(value)
  if (Number.isInteger(limit) && limit >= 1 && limit <= mostInPage) return limit
  throw new ApiError(400, 'malformed', `limit must be a whole number from 1 to ${mostInPage}`)
}
