import { isUserId } from '@kith/shared'
import { Ajv, type ErrorObject } from 'ajv'
import type { FastifyInstance } from 'fastify'
import { ApiError } from './request.ts'

const options = {
  removeAdditional: false,
  useDefaults: false,
  verbose: true,
  formats: { 'user-id': isUserId },
} as const

/** Shared by the process, because compiling all schemas takes longer than the rest of a server's start. */
const exact = new Ajv({ ...options, coerceTypes: false })
const coercing = new Ajv({ ...options, coerceTypes: true })

/**
 * Checks requests against their schemas, before their handlers run. Texts in a query are converted to numbers if a number is
 * expected.
 */
export function checkRequests(app: FastifyInstance): void {
  app.setValidatorCompiler(({ schema, httpPart }) =>
    (httpPart === 'querystring' ? coercing : exact).compile(schema as object),
  )
  app.setSchemaErrorFormatter(
    (errors, part) => new ApiError(400, 'malformed', messageOf(errors[0] as ErrorObject, part)),
  )
  // An answer is written unchanged, whatever its schema says. A test compares the two.
  app.setSerializerCompiler(() => data => JSON.stringify(data))
}

/** Returns what is wrong, and what is expected. */
function messageOf({ keyword, instancePath, params, message, parentSchema }: ErrorObject, part: string): string {
  const place = instancePath.slice(1).replaceAll('/', '.') || (part === 'querystring' ? 'the query' : `the ${part}`)
  switch (keyword) {
    case 'additionalProperties': {
      const known = Object.keys(parentSchema?.['properties'] ?? {})
      const unknown = JSON.stringify(params['additionalProperty'])
      return `unknown member ${unknown}: known are ${known.length > 0 ? known.join(', ') : 'none'}`
    }
    case 'required':
      return `${params['missingProperty']} is missing`
    case 'format':
      return `${place} must be a user id: 1 to 128 bytes in NFC, no control characters, no white space at the ends`
    case 'enum':
      return `${place} must be one of ${params['allowedValues'].join(', ')}`
    default:
      return `${place} ${message}`
  }
}
