import type { FastifyInstance } from 'fastify'
import { type Static, Type } from 'typebox'
import { takesAway } from '../relations/commit.ts'
import { hasAccount, isWithheld, type UserRecord } from '../relations/records.ts'
import type { Context } from '../socket/context.ts'
import { ApiError } from './request.ts'
import { described } from './route.ts'
import {
  exact,
  next,
  nothing,
  type Page,
  pageOf,
  type User,
  user as userSchema,
  type WithId,
  withId,
} from './schemas.ts'

/** A token is valid for at most ten years. A longer time is probably a mistake in units. */
const maxExpiresInSeconds = 10 * 365 * 24 * 60 * 60
/** The maximum number of users in a page. */
const mostInPage = 1_000

const users = exact({ users: Type.Array(userSchema), next })
const userChange = exact({ restricted: Type.Optional(Type.Boolean()), announceJoin: Type.Optional(Type.Boolean()) })
const lifetime = exact({
  expiresInSeconds: Type.Optional(
    Type.Integer({ minimum: 1, maximum: maxExpiresInSeconds, description: '86400 unless given' }),
  ),
})
const token = exact({ token: Type.String({ description: 'A JWT' }) })

export function userRoutes(app: FastifyInstance, context: Context, endSessions: (user: string) => void): void {
  const { store, accounts, presence, tokens } = context
  const tag = 'users'

  app.get<{ Querystring: Page }>(
    '/v1/users',
    described({
      tag,
      summary: 'Lists the registered users, by id',
      querystring: pageOf(mostInPage),
      answers: { 200: users },
    }),
    async ({ query: { after, limit = mostInPage } }) => {
      const found = await store.registeredAfter(after ?? '', limit)
      const page = found.map(([id, record]) => describe(id, record))
      return { users: page, ...(page.length === limit && { next: page.at(-1)?.id }) }
    },
  )

  app.put<{ Params: WithId; Body: Static<typeof userChange> }>(
    '/v1/users/:id',
    described({
      tag,
      summary: 'Registers a user, or changes what the backend says of one',
      params: withId,
      body: userChange,
      answers: { 200: userSchema, 201: userSchema },
    }),
    async ({ params: { id: user }, body }, reply) => {
      const commit = await store.commit({ type: 'user', user, ...body })
      if (takesAway(commit)) await store.whenEverywhere(commit.position)
      return reply.status(commit.isNew ? 201 : 200).send(describe(user, await store.user(user)))
    },
  )

  app.get<{ Params: WithId }>(
    '/v1/users/:id',
    described({ tag, summary: 'Reads a user', params: withId, answers: { 200: userSchema }, failures: [404] }),
    async ({ params: { id } }) => describe(id, await existingUser(context, id)),
  )

  app.delete<{ Params: WithId }>(
    '/v1/users/:id',
    described({ tag, summary: 'Erases an account', params: withId, answers: { 204: nothing }, failures: [404] }),
    async ({ params: { id: user } }, reply) => {
      const { registeredAt } = await existingUser(context, user)
      const endAll = (): void => {
        endSessions(user)
        presence.forget(user)
      }
      // Sessions end first: no data that they sent may bring the account back.
      await store.commit({ type: 'revoke', user })
      endAll()
      // A session may have begun since, with a token that was issued since. The erasure revokes that token too.
      if (!(await accounts.erase(user, registeredAt, endAll))) throw unknownUser()
      return reply.status(204).send()
    },
  )

  app.post<{ Params: WithId; Body: Static<typeof lifetime> }>(
    '/v1/users/:id/tokens',
    described({
      tag,
      summary: 'Issues a token, also for an id that is not registered yet',
      params: withId,
      body: lifetime,
      answers: { 200: token },
      failures: [501],
    }),
    async ({ params: { id }, body: { expiresInSeconds } }) => {
      if (!tokens.canIssue) {
        throw new ApiError(501, 'unavailable', 'tokens come from your issuer (KITH_JWKS_URL): this server signs none')
      }
      return { token: await tokens.issue(id, expiresInSeconds) }
    },
  )

  app.post<{ Params: WithId }>(
    '/v1/users/:id/sessions/revoke',
    described({
      tag,
      summary: 'Revokes all tokens that were issued before, and ends the sessions',
      params: withId,
      body: exact({}),
      answers: { 204: nothing },
    }),
    async ({ params: { id: user } }, reply) => {
      const { position } = await store.commit({ type: 'revoke', user })
      endSessions(user)
      await store.whenEverywhere(position)
      return reply.status(204).send()
    },
  )
}

/** Throws `unknown-user` unless the user is registered. */
export async function knownUser({ store }: Pick<Context, 'store'>, user: string): Promise<UserRecord> {
  const record = await store.user(user)
  if (record.registeredAt === 0) throw unknownUser()
  return record
}

/** The same, but withheld accounts count too. */
async function existingUser({ store }: Pick<Context, 'store'>, user: string): Promise<UserRecord> {
  const record = await store.user(user)
  if (!hasAccount(record)) throw unknownUser()
  return record
}

export function unknownUser(): ApiError {
  return new ApiError(404, 'unknown-user', 'no user has this id')
}

function describe(id: string, record: UserRecord): User {
  const { registeredAt, restricted, announceJoin } = record
  return { id, registered: registeredAt > 0, ...(isWithheld(record) && { withheld: true }), restricted, announceJoin }
}
