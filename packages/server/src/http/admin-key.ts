import { timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { ApiError } from './request.ts'

/** Throws `unauthorised` unless the request has the admin key. */
export function checkKey(request: IncomingMessage, adminKey: string): void {
  const given = Buffer.from(request.headers.authorization ?? '')
  const wanted = Buffer.from(`Bearer ${adminKey}`)
  if (given.length !== wanted.length || !timingSafeEqual(given, wanted)) {
    throw new ApiError(401, 'unauthorised', 'send the header Authorization: Bearer <admin key>')
  }
}
