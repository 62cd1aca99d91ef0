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

/** Otherwise, a query with a malformed percent-encoding would be used unchanged. The router itself refuses malformed paths. */
export function checkEncoding(request: FastifyRequest): void {
  try {
    decodeURIComponent(request.raw.url ?? '')
  } catch {
    throw new ApiError(400, 'malformed', 'the query is not percent-encoded UTF-8')
  }
}
