import type { FastifyInstance } from 'fastify'
import type { UserRecord } from '../relations/records.ts'
import { takesAway } from '../relations/store.ts'
import type { Context } from '../socket/context.ts'
import { ApiError, bodyOf, userIdOf } from './request.ts'

interface WithId {
  Params: { id: string }
}

/** A token is good for at most ten years: longer is a mistake in units. */
const maxExpiresInSeconds = 10 * 365 * 24 * 60 * 60

export function userRoutes(app: FastifyInstance, context: Context, endSessions: (user: string) => void): void {
  const { store, accounts, presence, tokens } = context

  app.put<WithId>('/v1/users/:id', async (request, reply) => {
    const user = userIdOf(request.params.id, 'the id in the path')
    const body = bodyOf(request, ['restricted', 'announceJoin'])
    const restricted = flagOf(body, 'restricted')
    const announceJoin = flagOf(body, 'announceJoin')
    const commit = await store.commit({ type: 'user', user, restricted, announceJoin })
    if (takesAway(commit)) await store.whenEverywhere(commit.position)
    return reply.status(commit.isNew ? 201 : 200).send(describe(user, await store.user(user)))
  })

  app.get<WithId>('/v1/users/:id', async request => {
    const user = userIdOf(request.params.id, 'the id in the path')
    return describe(user, await knownUser(context, user))
  })

  app.delete<WithId>('/v1/users/:id', async (request, reply) => {
    const user = userIdOf(request.params.id, 'the id in the path')
    await knownUser(context, user)
    // Sessions end first, and none can begin: nothing that they sent may bring the account back.
    await store.commit({ type: 'revoke', user })
    endSessions(user)
    presence.forget(user)
    await accounts.erase(user)
    return reply.status(204).send()
  })

  app.post<WithId>('/v1/users/:id/tokens', async request => {
    const user = userIdOf(request.params.id, 'the id in the path')
    const { expiresInSeconds } = bodyOf(request, ['expiresInSeconds'])
    if (!tokens.canIssue) {
      throw new ApiError(501, 'unavailable', 'tokens come from your issuer (KITH_JWKS_URL): this server signs none')
    }
    return { token: await tokens.issue(user, lifetimeOf(expiresInSeconds)) }
  })

  app.post<WithId>('/v1/users/:id/sessions/revoke', async (request, reply) => {
    const user = userIdOf(request.params.id, 'the id in the path')
    bodyOf(request, [])
    const { position } = await store.commit({ type: 'revoke', user })
    endSessions(user)
    await store.whenEverywhere(position)
    return reply.status(204).send()
  })
}

async function knownUser({ store }: Context, user: string): Promise<UserRecord> {
  const record = await store.user(user)
  if (record.registeredAt === 0) throw new ApiError(404, 'unknown-user', 'no user has this id')
  return record
}

function describe(id: string, { registeredAt, restricted, announceJoin }: UserRecord): object {
  return { id, registered: registeredAt > 0, restricted, announceJoin }
}

function flagOf(body: Record<string, unknown>, name: string): boolean | undefined {
  const value = body[name]
  if (value === undefined || typeof value === 'boolean') return value
  throw new ApiError(400, 'malformed', `${name} must be true or false`)
}

function lifetimeOf(value: unknown): number | undefined {
  if (value === undefined) return undefined
  if (Number.isInteger(value) && (value as number) > 0 && (value as number) <= maxExpiresInSeconds) {
    return value as number
  }
  throw new ApiError(400, 'malformed', `expiresInSeconds must be a whole number from 1 to ${maxExpiresInSeconds}`)
}
