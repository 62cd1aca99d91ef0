import type { FastifyInstance } from 'fastify'
import type { Context } from '../socket/context.ts'
import { ApiError, userIdOf } from './request.ts'

interface WithPair {
  Params: { a: string; b: string }
}

/** Pairing: a restricted user communicates only with those paired with them. */
export function pairRoutes(app: FastifyInstance, { store }: Context): void {
  for (const [method, isPaired] of [
    ['PUT', true],
    ['DELETE', false],
  ] as const) {
    app.route<WithPair>({
      method,
      url: '/v1/pairs/:a/:b',
      handler: async (request, reply) => {
        const a = userIdOf(request.params.a, 'the first id in the path')
        const b = userIdOf(request.params.b, 'the second id in the path')
        if (a === b) throw new ApiError(400, 'malformed', 'a pair has two different users')
        const { position } = await store.commit({ type: 'pair', a, b, isPaired })
        await store.whenEverywhere(position)
        return reply.status(204).send()
      },
    })
  }

  app.get<{ Params: { id: string } }>('/v1/users/:id/pairs', async request => {
    const user = userIdOf(request.params.id, 'the id in the path')
    const pairs: string[] = []
    for await (const { relations } of store.relationsOf(user)) {
      for (const { owner, relation } of relations) if (relation.isPaired) pairs.push(owner)
    }
    return { pairs }
  })
}
