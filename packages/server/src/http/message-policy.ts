import { type Audience, audiences } from '@kith/shared'
import type { FastifyInstance } from 'fastify'
import { Type } from 'typebox'
import type { BackendEdits } from '../accounts/backend-edits.ts'
import type { UserRecord } from '../relations/records.ts'
import type { Context } from '../socket/context.ts'
import { answerRefusal } from './documents.ts'
import { described } from './route.ts'
import { exact, type WithId, withId } from './schemas.ts'
import { knownUser } from './users.ts'

interface MessagePolicy {
  audience: Audience
}

const policy = exact({
  audience: Type.Unsafe<Audience>({
    type: 'string',
    enum: [...audiences],
    description: 'Whose messages reach the user; contacts are those with a grant too',
  }),
})

/**
 * Whose messages reach a user, according to the roster. It is the user's own choice; the backend makes it as a device would.
 */
export function messagePolicyRoutes(app: FastifyInstance, context: Context, edits: BackendEdits): void {
  const tag = 'documents'
  const path = '/v1/users/:id/message-policy'

  const read = { tag, summary: 'Reads whose messages reach a user', params: withId, answers: { 200: policy } } as const
  app.get<{ Params: WithId }>(path, described({ ...read, failures: [404] }), async ({ params: { id } }) =>
    policyOf(await knownUser(context, id)),
  )

  const change = described({
    tag,
    summary: 'Sets whose messages reach a user, as a device of the user would',
    params: withId,
    body: policy,
    answers: { 200: policy },
    failures: [404],
  })
  app.put<{ Params: WithId; Body: MessagePolicy }>(path, change, async ({ params: { id }, body: { audience } }) => {
    await edits.setMessageAudience(id, audience).catch(answerRefusal)
    return policyOf(await knownUser(context, id))
  })
}

/** Returns the policy in force. Of several entries, the narrowest counts [R4]. */
function policyOf({ messageAudience }: UserRecord): MessagePolicy {
  return { audience: messageAudience ?? 'everyone' }
}
