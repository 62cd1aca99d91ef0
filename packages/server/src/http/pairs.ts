import type { FastifyInstance } from 'fastify'
import { Type } from 'typebox'
import type { Context } from '../socket/context.ts'
import { ApiError } from './request.ts'
import { described } from './route.ts'
import { exact, nothing, userId, type WithId, withId } from './schemas.ts'

const pair = exact({ a: userId, b: userId })
const pairs = exact({ pairs: Type.Array(Type.String()) })

/** Routes for pairing: a restricted user communicates only with users who are paired with them. */
export function pairRoutes(app: FastifyInstance, { store }: Context): void {
  const tag = 'pairs'
  for (const [method, isPaired] of [
    ['PUT', true],
    ['DELETE', false],
  ] as const) {
    app.route<{ Params: { a: string; b: string } }>({
      method,
      url: '/v1/pairs/:a/:b',
      ...described({
        tag,
        summary: isPaired ? 'Pairs two users' : 'Ends a pairing',
        params: pair,
        answers: { 204: nothing },
      }),
      handler: async ({ params: { a, b } }, reply) => {
        if (a === b) throw new ApiError(400, 'malformed', 'a pair has two different users')
        const { position } = await store.commit({ type: 'pair', a, b, isPaired })
        await store.whenEverywhere(position)
        return reply.status(204).send()
      },
    })
  }

  app.get<{ Params: WithId }>(
    '/v1/users/:id/pairs',
    described({ tag, summary: 'Lists the users who are paired with a user', params: withId, answers: { 200: pairs } }),
    async ({ params: { id } }) => ({ pairs: await pairsOf(store, id) }),
  )
}

async function pairsOf(store: Context['store'], user: string): Promise<string[]> {
  const found: string[] = []
  for await (const { relations } of store.relationsOf(user)) {
    for (const { owner, relation } of relations) if (relation.isPaired) found.push(owner)
  }
  return found
}
