import { visibility } from '@kith/shared'
import type { FastifyInstance } from 'fastify'
import { Type } from 'typebox'
import { standingOf } from '../relations/standing.ts'
import type { Store } from '../relations/store.ts'
import type { View } from '../relations/views.ts'
import type { Context } from '../socket/context.ts'
import { ApiError, checkEncoding } from './request.ts'
import { described } from './route.ts'
import { exact, level, userId } from './schemas.ts'

/** Which users may communicate, who sees what, and why: for the app's own messaging, and for support. */
export function insightRoutes(app: FastifyInstance, { store, messages }: Context): void {
  const tag = 'insight'
  const communication = described({
    tag,
    summary: 'Whether messages of one user may reach another, and why',
    querystring: Type.Object({ from: userId, to: userId }),
    answers: { 200: exact({ allowed: Type.Boolean(), reason: Type.String() }) },
  })
  app.get<{ Querystring: { from: string; to: string } }>('/v1/communication', communication, async request => {
    checkEncoding(request)
    const { from, to } = request.query
    const { views } = await store.views(from, [to])
    expectLease(store)
    const reason = messages.messagingOf(from, to, views[0] as View)
    return { allowed: reason === 'allowed' || reason === 'self', reason }
  })

  const visible = described({
    tag,
    summary: 'Which levels of an owner a viewer may see, and why',
    querystring: Type.Object({ owner: userId, viewer: userId }),
    answers: { 200: exact({ levels: Type.Array(level), reason: Type.String() }) },
  })
  app.get<{ Querystring: { owner: string; viewer: string } }>('/v1/visibility', visible, async request => {
    checkEncoding(request)
    const { owner, viewer } = request.query
    const { views } = await store.views(viewer, [owner])
    expectLease(store)
    const { levels, reason } = visibility(standingOf(views[0] as View, owner === viewer))
    if (reason !== 'self') return { levels, reason }
    const own = await store.levelsWithFields(owner)
    return { levels: [...new Set([0, ...own])].sort((a, b) => a - b), reason }
  })
}

/** A database that only this node still treats as the primary would return outdated answers. */
function expectLease({ lease }: Store): void {
  if (!lease.isCurrent()) {
    throw new ApiError(503, 'unavailable', 'this node has lost the database: try again later, or ask another node')
  }
}
