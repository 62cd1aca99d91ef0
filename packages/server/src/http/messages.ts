import type { FastifyInstance } from 'fastify'
import { type Static, type TSchema, Type } from 'typebox'
import { allUsers } from '../relations/records.ts'
import type { Context } from '../socket/context.ts'
import { described } from './route.ts'
import { exact, nothing, type WithId, withId } from './schemas.ts'
import { knownUser } from './users.ts'

/** A higher rate is a mistake: `messagesPerSecond` is far below it. */
const mostPerMinute = 1_000_000

const rate: TSchema = Type.Union([Type.Integer({ minimum: 1, maximum: mostPerMinute }), Type.Null()], {
  description: 'Messages of one user to one other, a minute, and at once at most; null: no limit of its own',
})
const policy = exact({ perContactPerMinute: rate })
const policyRead = exact({
  perContactPerMinute: rate,
  source: Type.Union([Type.Literal('user'), Type.Literal('all-users'), Type.Literal('limits')], {
    description: "Whose policy counts: the user's, that for all users, or the server's limit",
  }),
})

interface Policy {
  perContactPerMinute: number | null
}

/** How many messages one user may send to one other. */
export function messageRoutes(app: FastifyInstance, context: Context): void {
  const { store, limits } = context
  const tag = 'messages'

  const policyOf = async (user: string | undefined): Promise<Static<typeof policyRead>> => {
    const own = user === undefined ? undefined : (await store.user(user)).messagesPerContactPerMinute
    const forAll = (await store.user(allUsers)).messagesPerContactPerMinute
    const perMinute = own ?? forAll ?? limits.messagesPerContactPerMinute
    const source = own !== undefined ? 'user' : forAll !== undefined ? 'all-users' : 'limits'
    return { perContactPerMinute: perMinute === 0 ? null : perMinute, source }
  }
  const set = async (user: string, { perContactPerMinute }: Policy): Promise<void> => {
    const change = { type: 'messagePolicy', user, perContactPerMinute: perContactPerMinute ?? 0 } as const
    await store.whenEverywhere((await store.commit(change)).position)
  }
  const unset = async (user: string): Promise<void> => {
    await store.whenEverywhere((await store.commit({ type: 'messagePolicy', user })).position)
  }

  const path = '/v1/message-policy'
  app.get(
    path,
    described({
      tag,
      summary: 'Reads the policy for all users',
      querystring: exact({}),
      answers: { 200: policyRead },
    }),
    () => policyOf(undefined),
  )
  app.put<{ Body: Policy }>(
    path,
    described({ tag, summary: 'Sets the policy for all users', body: policy, answers: { 200: policyRead } }),
    async ({ body }) => {
      await set(allUsers, body)
      return policyOf(undefined)
    },
  )
  app.delete(
    path,
    described({
      tag,
      summary: "Ends the policy for all users: the server's limit counts again",
      body: exact({}),
      answers: { 204: nothing },
    }),
    async (_request, reply) => {
      await unset(allUsers)
      return reply.status(204).send()
    },
  )

  const ofUser = '/v1/users/:id/message-policy'
  app.get<{ Params: WithId }>(
    ofUser,
    described({
      tag,
      summary: 'Reads the policy that counts for a user',
      params: withId,
      answers: { 200: policyRead },
      failures: [404],
    }),
    async ({ params: { id } }) => {
      await knownUser(context, id)
      return policyOf(id)
    },
  )
  app.put<{ Params: WithId; Body: Policy }>(
    ofUser,
    described({
      tag,
      summary: 'Sets the policy for messages of one user',
      params: withId,
      body: policy,
      answers: { 200: policyRead },
      failures: [404],
    }),
    async ({ params: { id }, body }) => {
      await knownUser(context, id)
      await set(id, body)
      return policyOf(id)
    },
  )
  app.delete<{ Params: WithId }>(
    ofUser,
    described({
      tag,
      summary: 'Ends the policy of one user: that for all users counts again',
      params: withId,
      answers: { 204: nothing },
      failures: [404],
    }),
    async ({ params: { id } }, reply) => {
      await knownUser(context, id)
      await unset(id)
      return reply.status(204).send()
    },
  )
}
