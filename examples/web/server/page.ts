import { fileURLToPath } from 'node:url'
import files from '@fastify/static'
import type { Routes } from '@kith/server'
import { tokenRoute } from './demo-tokens.ts'

/** The output of `vite build`. This file is built to `dist/server`. */
const folder = fileURLToPath(new URL('../page/', import.meta.url))

/** Allows the page's own scripts and sockets, and nothing from other origins. Pictures may come from a profile's bytes. */
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

/** The demo page, and the tokens with which it signs in. */
export const pageRoutes: Routes = async (app, host) => {
  app.addHook('onSend', async (_request, reply) => {
    reply.headers({
      'content-security-policy': policy,
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
    })
  })
  tokenRoute(app, host)
  // Each file gets a route of its own, so that Kith still answers all other paths.
  await app.register(files, {
    root: folder,
    wildcard: false,
    setHeaders(reply, path) {
      // Names of assets contain a hash of their content.
      reply.header('cache-control', path.includes('/assets/') ? 'public, max-age=31536000, immutable' : 'no-cache')
    },
  })
}
