import type { Server as HttpServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type Audience, audiences, defaultLimits, isAudience, type Limits } from '@kith/shared'
import { type Logger, pino } from 'pino'
import { assemble } from './assemble.ts'
import { attachTo } from './attach.ts'
import { systemClock } from './clock.ts'
import { namesLoopback } from './http/loopback.ts'
import { openNetwork } from './network.ts'
import { pace } from './pace.ts'
import { EventRoom } from './relations/event-room.ts'
import type { Store } from './relations/store.ts'
import { ownSecret } from './secrets.ts'
import { urlOf } from './server.ts'
import type { Damage } from './store/level/files/log-damage.ts'
import { Scrubbing } from './store/level/files/scrubbing.ts'
import { DamagedFolderError, openLevelStore } from './store/level/open.ts'
import { type Identity, leastSecretBytes, type TokenSettings, type VerifyToken } from './tokens.ts'
import { receiverOf } from './webhooks/receiver.ts'
import { addressProblem, defaultMostEvents, isMostEvents, keysOf, type WebhookSettings } from './webhooks/settings.ts'

/** Settings of {@link createServer}. All of them are optional. */
export interface CreateServerOptions {
  /** The folder for the data and for the server's own secrets; by default `./data`. */
  folder?: string | undefined
  /** Another store, instead of the folder's. It is closed when the server closes. */
  store?: Store | undefined
  /** Returns the user to whom a token belongs: for sessions of the app's own, instead of JWTs. */
  verifyToken?: VerifyToken | undefined
  /**
   * The HS256 secret of the tokens; by default a secret that the server generates in the folder. It needs at least 32 bytes to
   * listen beyond this machine.
   */
  tokenSecret?: string | Uint8Array | undefined
  /** Public keys of the app's issuer of JWTs, instead of a secret. */
  jwksUrl?: string | URL | undefined
  /** The `aud` and `iss` that JWTs must have. */
  audience?: string | undefined
  issuer?: string | undefined
  /** The key of the HTTP API; by default a key that the server generates in the folder. */
  adminKey?: string | undefined
  /** Limits that differ from the defaults. */
  limits?: Partial<Limits> | undefined
  /**
   * The widest audience for the messages of any user: everyone (the default), contacts only, or nobody. Users may choose a
   * narrower audience.
   */
  messagePolicy?: Audience | undefined
  /** Addresses or networks whose X-Forwarded-For is trusted, as in `10.0.0.0/8`; by default none. */
  trustedProxies?: readonly string[] | undefined
  /** Where events are sent, and the secrets of Standard Webhooks (`whsec_…`); by default nowhere. */
  webhook?: WebhookOptions | undefined
  /** By default, warnings and errors go to the standard error. */
  log?: Logger | undefined
  /**
   * Called once when the running server finds a damaged table in the folder. The data that it serves from then on may be wrong:
   * close the server. The next start refuses the folder. The log contains the same error, as `fatal`.
   */
  onDamage?: ((error: DamagedFolderError) => void) | undefined
}

/** Where the events of a server are sent. */
export interface WebhookOptions {
  /** An address with http or https, without user and password. */
  url: string | URL
  /** One secret, or two while one is being replaced. */
  secrets: readonly string[]
  /** Whether the event of an undelivered message contains its text; by default not. */
  includeText?: boolean | undefined
  /** The maximum number of events that wait; by default 100,000. */
  mostEvents?: number | undefined
}

/** A Kith server inside the app's own program. */
export interface EmbeddedServer {
  /**
   * Serves Kith's paths on the app's HTTP server, beside the app's own. The app listens, and closes its server.
   *
   * @param server - The Node server with which the app listens.
   */
  attach(server: HttpServer): void
  /**
   * Listens on its own, without an HTTP server of the app.
   *
   * @param options - The address, 127.0.0.1 by default, and the port, 4180 by default; 0 takes any free port.
   * @returns Resolves to the URL, as in `http://127.0.0.1:4180`, when the server listens.
   * @throws `TypeError` for an address beyond this machine while the secrets are those that the server generated, or the token
   *   secret is too short; the system's error when the port is taken.
   */
  listen(options?: { host?: string | undefined; port?: number | undefined }): Promise<string>
  /**
   * Finds out to whom a token belongs, for the app's own routes.
   *
   * @param token - The token of a request.
   * @returns Resolves to the user and how long the token is valid.
   * @throws KithError `unauthorised` for a token that is not valid.
   */
  verifyToken(token: string): Promise<Identity>
  /**
   * Issues a token for a user.
   *
   * @param user - The user id.
   * @param expiresInSeconds - How long it is valid; a day by default.
   * @returns Resolves to the token.
   * @throws KithError `unavailable` if the app verifies or issues tokens itself.
   */
  issueToken(user: string, expiresInSeconds?: number): Promise<string>
  /** The key of the HTTP API. */
  readonly adminKey: string
  /**
   * Flushes, closes Kith's websockets with 1001, detaches from the app's HTTP servers, and closes the store. Can be called
   * twice.
   *
   * @returns Resolves when all of this is done.
   * @throws The error of the disk, if the store does not close.
   */
  close(): Promise<void>
}

/**
 * Opens a server for {@link EmbeddedServer.attach} or {@link EmbeddedServer.listen}.
 *
 * @param options - Settings, each with a default.
 * @returns Resolves to the server, which does not listen yet.
 * @throws DataFolderError When the folder cannot be used; a `TypeError` for settings that contradict each other.
 */
export async function createServer(options: CreateServerOptions = {}): Promise<EmbeddedServer> {
  const { folder = './data', trustedProxies = [], webhook, messagePolicy = 'everyone' } = options
  if (!isAudience(messagePolicy)) throw wrongPolicy(messagePolicy)
  const clock = systemClock
  const room = webhook && roomOf(webhook, options.store)
  const send = webhook && receiverOf(addressOf(webhook), clock)
  // After the other settings, because secrets may be written to the folder.
  const tokens = await tokenSettingsOf(options, folder)
  const adminKey = options.adminKey ?? (await ownSecret(folder, 'admin-key'))
  const limits = { ...defaultLimits, ...options.limits }
  const log = options.log ?? pino({ level: 'warn' }, pino.destination({ dest: 2, sync: true }))
  pace.begin()
  const onMigration = (format: number, records: number): void =>
    log.warn({ format, records }, 'the data folder is migrated')
  const store = options.store ?? (await openLevelStore(folder, { limits, clock, room, onMigration }))
  const engine = assemble({
    ...{ store, tokens, adminKey, limits, messagePolicy, clock, log, hasMergeThread: true },
    webhook: room && send && { room, send },
  })
  const { api, context } = engine
  const network = openNetwork(engine, { clock, limits, log, trustedProxies })
  const detachments: (() => void)[] = []
  let closing: Promise<void> | undefined
  try {
    await api.ready()
    await engine.join()
  } catch (error) {
    await engine.close()
    throw error
  }
  engine.isReady = true
  const found = (damages: readonly Damage[]): void => {
    const error = new DamagedFolderError(folder, damages)
    log.fatal({ damages }, error.message)
    try {
      options.onDamage?.(error)
    } catch (thrown) {
      log.error({ err: thrown }, 'onDamage failed')
    }
  }
  const scrubbing = options.store ? undefined : Scrubbing.begin(folder, { clock, found })

  async function close(): Promise<void> {
    await scrubbing?.close()
    for (const detach of detachments) detach()
    await engine.close()
    network.close()
  }

  return {
    adminKey,
    attach(server) {
      detachments.push(attachTo(server, api, network))
    },
    async listen({ host = '127.0.0.1', port = 4180 } = {}) {
      const hasOwnSecrets = options.adminKey === undefined || tokens.isOwn
      if (hasOwnSecrets && !namesLoopback(host)) {
        throw new TypeError(`to listen on ${host} give adminKey, and verifyToken, jwksUrl or tokenSecret`)
      }
      if (!namesLoopback(host) && tokens.secret && tokens.secret.length < leastSecretBytes) {
        throw new TypeError(`to listen on ${host} give a tokenSecret of at least ${leastSecretBytes} bytes`)
      }
      network.guard(api.server)
      api.server.on('upgrade', (request, socket, head) => network.upgrade(request, socket, head))
      await api.listen({ host, port })
      return urlOf(host, api.server.address() as AddressInfo)
    },
    verifyToken: token => context.tokens.verify(token),
    issueToken: (user, expiresInSeconds) => context.tokens.issue(user, expiresInSeconds),
    close: () => (closing ??= close()),
  }
}

function wrongPolicy(given: unknown): TypeError {
  return new TypeError(`messagePolicy must be one of ${audiences.join(', ')}, not ${JSON.stringify(given)}`)
}

/** `isOwn`: the server generated the secret itself. */
async function tokenSettingsOf(
  { verifyToken, tokenSecret, jwksUrl, audience, issuer }: CreateServerOptions,
  folder: string,
): Promise<TokenSettings & { isOwn: boolean }> {
  const given = [verifyToken, tokenSecret, jwksUrl].filter(one => one !== undefined)
  if (given.length > 1) throw new TypeError('give one of verifyToken, tokenSecret and jwksUrl')
  const common = { audience, issuer, isOwn: given.length === 0 }
  if (verifyToken) return { ...common, verify: verifyToken }
  if (jwksUrl !== undefined) return { ...common, jwksUrl: new URL(jwksUrl) }
  const secret = tokenSecret ?? (await ownSecret(folder, 'token-secret'))
  return { ...common, secret: typeof secret === 'string' ? new TextEncoder().encode(secret) : secret }
}

function roomOf({ mostEvents = defaultMostEvents, includeText = false }: WebhookOptions, store?: Store): EventRoom {
  if (store) throw new TypeError('with a store of your own give it the room for events, and no webhook here')
  if (!isMostEvents(mostEvents)) throw new TypeError('webhook.mostEvents must be a whole number, 1 or more')
  return new EventRoom({ mostEvents, includesText: includeText })
}

function addressOf({ url, secrets }: WebhookOptions): Pick<WebhookSettings, 'url' | 'keys'> {
  const problem = addressProblem(url)
  if (problem) throw new TypeError(`webhook.url ${problem}`)
  const keys = keysOf(secrets)
  if (!keys) throw new TypeError('webhook.secrets must be one or two texts: whsec_ and base64 of 24 to 64 bytes')
  return { url: new URL(url), keys }
}
