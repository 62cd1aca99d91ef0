import type { FastifyInstance } from 'fastify'
import { type Static, Type } from 'typebox'
import { type EventName, eventId, parseEventId, type StoredEvent } from '../relations/outbox.ts'
import type { Store } from '../relations/store.ts'
import type { Context } from '../socket/context.ts'
import { ApiError } from './request.ts'
import { described } from './route.ts'
import { exact, next, nothing, type Page, pageOf } from './schemas.ts'

/** The number of dead letters in a page, unless the caller requests fewer. */
const mostInPage = 100

const deadLetter = exact({
  id: Type.String({ description: 'The webhook-id' }),
  type: Type.String(),
  timestamp: Type.String({ description: 'When it happened, in ISO 8601' }),
  data: Type.Record(Type.String(), Type.Unknown()),
  failedAt: Type.String(),
  reason: Type.String(),
})

/** The common part of retrying and dropping. */
const settled = {
  params: exact({ id: Type.String() }),
  answers: { 204: nothing },
  failures: [404],
} as const

/** Events that were given up: they can be listed, sent again, or dropped. */
export function webhookRoutes(app: FastifyInstance, { store }: Context): void {
  const tag = 'webhooks'
  const list = described({
    tag,
    summary: 'Lists dead letters, oldest first',
    querystring: pageOf(mostInPage),
    answers: { 200: exact({ events: Type.Array(deadLetter), next }) },
  })
  app.get<{ Querystring: Page }>('/v1/webhooks/dead', list, async ({ query }) => {
    const { limit = mostInPage } = query
    const after = query.after === undefined ? undefined : nameOf(query.after)
    const found = await store.outbox.dead(after, limit)
    const last = found.length === limit ? found.at(-1) : undefined
    return { events: found.map(describe), ...(last && { next: eventId(last) }) }
  })

  const retry = { tag, summary: 'Sends a dead letter again', ...settled } as const
  app.post<{ Params: { id: string } }>(
    '/v1/webhooks/dead/:id/retry',
    described({ ...retry, body: exact({}) }),
    async (request, reply) => {
      const { name } = await deadOf(store, request.params.id)
      await store.commit({ type: 'events', revived: [name] })
      return reply.status(204).send()
    },
  )

  const drop = { tag, summary: 'Drops a dead letter', ...settled } as const
  app.delete<{ Params: { id: string } }>('/v1/webhooks/dead/:id', described(drop), async (request, reply) => {
    const { name } = await deadOf(store, request.params.id)
    await store.commit({ type: 'events', removed: [name] })
    return reply.status(204).send()
  })
}

function describe(stored: StoredEvent): Static<typeof deadLetter> {
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
