import { isUserId } from '@kith/shared'
import type { FastifyRequest } from 'fastify'

/** An expected failure of a request: its status, code and what to do. */
export class ApiError extends Error {
  readonly statusCode: number
  readonly code: string

  constructor(statusCode: number, code: string, message: string) {
    super(message)
    this.statusCode = statusCode
    this.code = code
  }
}

/** A user id from a path or query. */
export function userIdOf(value: unknown, name: string): string {
  if (isUserId(value)) return value
  throw new ApiError(
    400,
    'malformed',
    `${name} must be a user id: 1 to 128 bytes in NFC, no control characters, no white space at the ends`,
  )
}

/** A query with a broken percent-encoding would else be taken as it stands. Broken paths the router refuses itself. */
export function checkEncoding(request: FastifyRequest): void {
  try {
    decodeURIComponent(request.raw.url ?? '')
  } catch {
    throw new ApiError(400, 'malformed', 'the query is not percent-encoded UTF-8')
  }
}

/** The members of a JSON body; `{}` when there is none. Unknown members are an error, so that a typo is seen. */
export function bodyOf(request: FastifyRequest, members: readonly string[]): Record<string, unknown> {
  const body = request.body === undefined ? {} : request.body
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    throw new ApiError(400, 'malformed', 'the body must be an object')
  for (const name of Object.keys(body)) {
    if (!members.includes(name)) {
      throw new ApiError(400, 'malformed', `unknown member ${JSON.stringify(name)}: known are ${members.join(', ')}`)
    }
  }
  return body as Record<string, unknown>
}
