import { fileURLToPath } from 'node:url'
import files from '@fastify/static'
import type { Routes } from '@kith/server'
import { tokenRoute } from './demo-tokens.ts'

/** What `vite build` made. This file is built to `dist/server`. */
const folder = fileURLToPath(new URL('../page/', import.meta.url))

/** The page's own scripts and sockets, nothing from elsewhere; pictures may come from a profile's bytes. */
const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'", // The component library adds a style element of its own.
  "img-src 'self' blob: data:",
  "connect-src 'self'",
  "worker-src 'self'",
  "manifest-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

/** The demo page, and the tokens that it signs in with. */
export const pageRoutes: Routes = async (app, host) => {
  app.addHook('onSend', async (_request, reply) => {
    reply.headers({
      'content-security-policy': policy,
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
    })
  })
  tokenRoute(app, host)
  // Each file is a path of its own: what else is asked for stays Kith's to answer.
  await app.register(files, {
    root: folder,
    wildcard: false,
    setHeaders(reply, path) {
      // Names of assets hold a hash of what is in them.
      reply.header('cache-control', path.includes('/assets/') ? 'public, max-age=31536000, immutable' : 'no-cache')
    },
  })
}
