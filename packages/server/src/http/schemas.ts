import { type TObject, type TProperties, type TSchema, Type } from 'typebox'

/** The shapes of the API. Requests are checked against them, and the OpenAPI document is made from them. */

/** The same rule as `isUserId`. */
export const userId: TSchema = Type.String({
  format: 'user-id',
  description:
    '1 to 128 bytes of UTF-8 in NFC, no control characters, no white space at the ends; percent-encoded in paths',
})

/** An object with exactly these members, so that a typo is detected. */
export function exact<P extends TProperties>(members: P, description?: string): TObject<P> {
  return Type.Object(members, { additionalProperties: false, ...(description !== undefined && { description }) })
}

export const withId: TSchema = exact({ id: userId })
export interface WithId {
  id: string
}

export const level: TSchema = Type.Integer({ minimum: 0, maximum: 255 })

/** The backend's settings for a user. */
export interface User {
  id: string
  registered: boolean
  withheld?: true
  restricted: boolean
  announceJoin: boolean
}

export const user: TSchema = exact({
  id: Type.String(),
  registered: Type.Boolean(),
  withheld: Type.Optional(Type.Literal(true, { description: 'Shown to nobody since the store was restored' })),
  restricted: Type.Boolean({ description: 'Communicates with paired users only' }),
  announceJoin: Type.Boolean({ description: 'Followers are told that the user joined' }),
})

/** A page of a list: `after` names the entry before it. */
export function pageOf(most: number): TSchema {
  return Type.Object({
    after: Type.Optional(Type.String({ description: 'The `next` of the page before' })),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: most, description: `${most} unless given` })),
  })
}

export interface Page {
  after?: string
  limit?: number
}

export const next: TSchema = Type.Optional(Type.String({ description: 'Absent on the last page' }))

/** A failure, the body of every answer other than 2xx. */
const failure: TSchema = exact({ error: exact({ code: Type.String(), message: Type.String() }) }, 'A failure')

export const nothing: TSchema = Type.Null({ description: 'Done' })

/** The answers of a route behind the admin key, including its own. */
export function answers(own: Record<number, TSchema>, ...failures: number[]): Record<number, TSchema> {
  const all = [400, 401, 429, 503, ...failures]
  return { ...Object.fromEntries(all.map(status => [status, failure])), ...own }
}
