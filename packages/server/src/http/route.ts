import type { FastifySchema } from 'fastify'
import type { TSchema } from 'typebox'
import { answers } from './schemas.ts'

interface RouteSchema {
  tag: 'users' | 'documents' | 'pairs' | 'insight' | 'webhooks'
  summary: string
  params?: TSchema
  querystring?: TSchema
  body?: TSchema
  /** The schemas of the 2xx answers. */
  answers: Record<number, TSchema>
  /** Statuses of failures, in addition to those of every route. */
  failures?: readonly number[]
}

/** The schema of a route behind the admin key. */
export function described({ tag, failures = [], answers: own, ...schema }: RouteSchema): { schema: FastifySchema } {
  const security = [{ adminKey: [] }]
  // 413: the body is too large.
  const all = schema.body ? [413, ...failures] : failures
  return { schema: { tags: [tag], security, ...schema, response: answers(own, ...all) } as FastifySchema }
}
