import { isLevel } from '@kith/shared'
import { accountFormat, accountVersion } from '@kith/shared/account'
import type { FastifyInstance } from 'fastify'
import { Type } from 'typebox'
import { type BackendEdits, RefusedEdit, UnknownUser } from '../accounts/backend-edits.ts'
import type { FieldEdit } from '../documents/backend-edit.ts'
import { saysNothing } from '../relations/records.ts'
import type { Store } from '../relations/store.ts'
import type { Context } from '../socket/context.ts'
import { exportOf, fieldsOf } from './export.ts'
import { fieldOf, jsonOf, type Value, value } from './field-values.ts'
import { ApiError } from './request.ts'
import { described } from './route.ts'
import { exact, level, next, type Page, pageOf, type WithId, withId } from './schemas.ts'
import { knownUser, unknownUser } from './users.ts'

/** The maximum number of contacts in a page. */
const mostInPage = 1_000

const levelPattern = '^(0|[1-9]\\d{0,2})$'
const profile = exact({
  levels: Type.Record(Type.String({ pattern: levelPattern }), Type.Record(Type.String(), value), {
    description: 'Fields by name, by level',
  }),
})
const profileChange = exact({
  levels: Type.Record(
    Type.String({ pattern: levelPattern }),
    Type.Record(Type.String(), Type.Union([value, Type.Null()])),
    { description: 'The fields to set; null unsets one. All others stay' },
  ),
})
const contact = exact({
  id: Type.String(),
  isContact: Type.Boolean(),
  levels: Type.Array(level, { description: 'The granted levels' }),
  isSubscribed: Type.Boolean(),
  isDeclined: Type.Boolean(),
  isBlocked: Type.Boolean(),
})

const fileValue = Type.Union([value, exact({ number: Type.String() })])
const yes = Type.Optional(Type.Literal(true))
const accountFileSchema = exact({
  format: Type.Literal(accountFormat),
  version: Type.Literal(accountVersion),
  user: Type.String(),
  exportedAt: Type.String({ format: 'date-time' }),
  profile: Type.Array(exact({ level, fields: Type.Record(Type.String(), fileValue) })),
  contacts: Type.Array(
    exact({
      id: Type.String(),
      label: Type.Optional(Type.String()),
      levels: Type.Optional(Type.Array(level)),
      ...{ isContact: yes, isSubscribed: yes, isDeclined: yes, isBlocked: yes, hasChangedHands: yes },
    }),
  ),
  settings: Type.Record(
    Type.String(),
    Type.Union([Type.String(), Type.Number(), Type.Boolean(), exact({ number: Type.String() })]),
  ),
  privacy: Type.Array(Type.String()),
})

type ByLevel<V> = Record<string, Record<string, V>>

interface Profile {
  levels: ByLevel<Value>
}

interface Change {
  levels: ByLevel<Value | null>
}

interface Contact {
  id: string
  isContact: boolean
  levels: number[]
  isSubscribed: boolean
  isDeclined: boolean
  isBlocked: boolean
}

/**
 * Routes for the documents of users: documents can be read, and profiles can be edited as a device of the user would edit them.
 */
export function documentRoutes(app: FastifyInstance, context: Context, edits: BackendEdits): void {
  const { store } = context
  const tag = 'documents'

  const read = { tag, summary: 'Reads the own profile of a user', params: withId, answers: { 200: profile } } as const
  app.get<{ Params: WithId }>('/v1/users/:id/profile', described({ ...read, failures: [404] }), async request => {
    await knownUser(context, request.params.id)
    return profileOf(store, request.params.id)
  })

  const change = described({
    tag,
    summary: 'Sets and unsets fields of a profile, as a device of the user would',
    params: withId,
    body: profileChange,
    answers: { 200: profile },
    failures: [404],
  })
  app.patch<{ Params: WithId; Body: Change }>('/v1/users/:id/profile', change, async request => {
    const { id } = request.params
    await knownUser(context, id)
    await edits.editProfile(id, editsOf(request.body)).catch(answerRefusal)
    return profileOf(store, id)
  })

  const roster = described({
    tag,
    summary: 'Reads whom the roster of a user names, by id',
    params: withId,
    querystring: pageOf(mostInPage),
    answers: { 200: exact({ contacts: Type.Array(contact), next }) },
    failures: [404],
  })
  app.get<{ Params: WithId; Querystring: Page }>('/v1/users/:id/roster', roster, async ({ params, query }) => {
    await knownUser(context, params.id)
    const { after = '', limit = mostInPage } = query
    const contacts = await contactsOf(store, params.id, after, limit)
    return { contacts, ...(contacts.length === limit && { next: contacts.at(-1)?.id }) }
  })

  const whole = described({
    tag,
    summary: "Exports all of a user's own data as the file that importAccount of the client reads",
    params: withId,
    answers: { 200: accountFileSchema },
    failures: [404],
  })
  app.get<{ Params: WithId }>('/v1/users/:id/export', whole, async ({ params: { id } }, reply) => {
    const file = await exportOf(context, id)
    if (!file) throw unknownUser()
    return reply.type('application/json; charset=utf-8').send(file)
  })
}

/** Answers an edit that was not admitted with the code that a device would have received. */
export function answerRefusal(error: unknown): never {
  if (error instanceof UnknownUser) throw unknownUser()
  throw error instanceof RefusedEdit ? new ApiError(400, error.code, error.message) : error
}

function editsOf({ levels }: Change): FieldEdit[] {
  return Object.entries(levels).flatMap(([level, fields]) => {
    if (!isLevel(Number(level)) || String(Number(level)) !== level)
      throw new ApiError(400, 'malformed', `levels.${level} must be a level from 0 to 255`)
    return Object.entries(fields).map(([name, json]) => ({
      level: Number(level),
      name,
      value: json === null ? undefined : fieldOf(json),
    }))
  })
}

async function profileOf(store: Store, user: string): Promise<Profile> {
  const levels = [...(await fieldsOf(store, user))].map(([level, fields]) => [
    String(level),
    Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, jsonOf(value)])),
  ])
  return { levels: Object.fromEntries(levels) }
}

/** Returns the contacts after an id, in the order of the ids. */
async function contactsOf(store: Store, user: string, after: string, most: number): Promise<Contact[]> {
  const contacts: Contact[] = []
  const start = Buffer.from(after)
  for await (const { relations } of store.relationsOf(user)) {
    for (const { owner, relation } of relations) {
      const { said } = relation.mySide
      if (saysNothing(said) || Buffer.compare(Buffer.from(owner), start) <= 0) continue
      const { isContact, levels, isSubscribed, isDeclined, isBlocked } = said
      contacts.push({ id: owner, isContact, levels: [...levels], isSubscribed, isDeclined, isBlocked })
      if (contacts.length === most) return contacts
    }
  }
  return contacts
}
