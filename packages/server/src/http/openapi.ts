import { createRequire } from 'node:module'
import swagger from '@fastify/swagger'
import type { FastifyInstance } from 'fastify'

const { version } = createRequire(import.meta.url)('../../package.json') as { version: string }

/** Collects the routes that are added after this call, for {@link openApiRoute}. */
export function collectRoutes(app: FastifyInstance): void {
  void app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Kith',
        version,
        description:
          "The HTTP API of a Kith server, for the app's backend. docs/PROTOCOL.md, section 15, says more of each request.",
        license: { name: 'MIT', identifier: 'MIT' },
      },
      components: { securitySchemes: { adminKey: { type: 'http', scheme: 'bearer', description: 'KITH_ADMIN_KEY' } } },
    },
    hideUntagged: true,
  })
}

/** The OpenAPI document of all routes. It contains nothing about this server, so it needs no key. */
export function openApiRoute(app: FastifyInstance): void {
  let text: string | undefined
  app.get('/v1/openapi.json', async (_request, reply) => {
    text ??= JSON.stringify(app.swagger())
    return reply.type('application/json; charset=utf-8').send(text)
  })
}
