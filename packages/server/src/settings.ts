import { readFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { type Audience, audiences, defaultLimits, isAudience, type Limits } from '@kith/shared'
import proxyAddress from 'proxy-addr'
import { type Environment, readSwitch, SettingsError } from './environment.ts'
import { namesLoopback } from './http/loopback.ts'
import { ownSecret } from './secrets.ts'
import { leastSecretBytes, type TokenSettings } from './tokens.ts'
import { readWebhook } from './webhooks/read-settings.ts'
import type { WebhookSettings } from './webhooks/settings.ts'

const logLevels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const
type LogLevel = (typeof logLevels)[number]

export interface Settings {
  host: string
  port: number
  /** The data folder; not used with a database. */
  folder: string
  /** A PostgreSQL database that several nodes share, instead of the data folder. */
  database: DatabaseSettings | undefined
  /** NATS servers that carry the messages between nodes; by default the database carries them. */
  natsUrl: string | undefined
  tokens: TokenSettings
  adminKey: string
  limits: Limits
  /** The widest audience for the messages of any user. */
  messagePolicy: Audience
  trustedProxies: string[]
  logLevel: LogLevel
  /** Where events for the app's backend are sent. If it is absent, no events are written. */
  webhook: WebhookSettings | undefined
  /** The admin key or the token secret was generated here, so the server may listen only on this machine. */
  hasOwnSecrets: boolean
}

export interface DatabaseSettings {
  url: string
  /** Whether statements are prepared. A pooler in front of the database may not support prepared statements. */
  prepares: boolean
  /** A URL of the same database without a transaction pooler in front of it: for LISTEN. */
  listenUrl: string | undefined
  /** Whether a database without a synchronous standby is refused. */
  requiresStandby: boolean
}

const options = {
  port: { type: 'string', default: '4180' },
  host: { type: 'string', default: '127.0.0.1' },
  data: { type: 'string' },
  limits: { type: 'string' },
} as const

/** Reads the settings of `serve`, and generates secrets if none are given. Throws {@link SettingsError}. */
export async function readSettings(args: readonly string[], env: Environment): Promise<Settings> {
  const { values } = parse(args)
  if (values.data === '') throw new SettingsError('--data must name a folder')
  const database = readDatabase(env)
  if (database) expectSharedState(values.data, env)
  const folder = values.data ?? './data'
  const port = Number(values.port)
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new SettingsError(`--port must be a whole number from 0 to 65535, not ${JSON.stringify(values.port)}`)
  }
  if (!namesLoopback(values.host)) expectSafeSecrets(values.host, env)
  const settings = {
    host: values.host,
    port,
    folder,
    database,
    natsUrl: readNatsUrl(env, database),
    limits: await readLimits(values.limits, env),
    messagePolicy: readMessagePolicy(env['KITH_MESSAGE_POLICY']),
    trustedProxies: readProxies(env['KITH_TRUSTED_PROXIES']),
    logLevel: readLogLevel(env['KITH_LOG_LEVEL']),
    webhook: readWebhook(env),
    hasOwnSecrets: hasOwnSecrets(env),
  }
  // Last, because secrets may be written to the folder: a wrong setting leaves no folder behind.
  const tokens = await readTokenSettings(folder, env)
  return { ...settings, tokens, adminKey: env['KITH_ADMIN_KEY'] || (await ownSecret(folder, 'admin-key')) }
}

function hasOwnSecrets(env: Environment): boolean {
  return !(env['KITH_TOKEN_SECRET'] || env['KITH_JWKS_URL']) || !env['KITH_ADMIN_KEY']
}

/** With one token, an attacker can test guesses of the secret without the server. So the secret must be long. */
function expectSafeSecrets(host: string, env: Environment): void {
  const { KITH_TOKEN_SECRET: secret, KITH_JWKS_URL: jwksUrl } = env
  if (hasOwnSecrets(env)) {
    const missing = secret || jwksUrl ? 'KITH_ADMIN_KEY' : 'KITH_TOKEN_SECRET (or KITH_JWKS_URL) and KITH_ADMIN_KEY'
    throw new SettingsError(`to listen on ${host} set ${missing}; without them the server listens on loopback only`)
  }
  const bytes = Buffer.byteLength(secret || '')
  if (secret && bytes < leastSecretBytes) {
    throw new SettingsError(
      `to listen on ${host} KITH_TOKEN_SECRET must have at least ${leastSecretBytes} bytes, not ${bytes}: ` +
        'openssl rand -base64 32 prints one',
    )
  }
}

/** Returns the database of KITH_DATABASE_URL; `undefined` if the state is kept in a data folder. */
export function readDatabase(env: Environment): DatabaseSettings | undefined {
  const url = readDatabaseUrl(env, 'KITH_DATABASE_URL')
  const listenUrl = readDatabaseUrl(env, 'KITH_DATABASE_LISTEN_URL')
  if (!url) {
    if (listenUrl) throw new SettingsError('KITH_DATABASE_LISTEN_URL is of a database: set KITH_DATABASE_URL too')
    return undefined
  }
  return {
    url,
    listenUrl,
    prepares: readSwitch(env, 'KITH_DATABASE_PREPARE', true),
    requiresStandby: readSwitch(env, 'KITH_DATABASE_REQUIRE_STANDBY', false),
  }
}

function readDatabaseUrl(env: Environment, name: string): string | undefined {
  const url = env[name]
  if (!url) return undefined
  if (!/^postgres(ql)?:\/\/[^/?]/.test(url)) {
    throw new SettingsError(`${name} must be a URL, as in postgres://user@host1,host2/database`)
  }
  return url
}

function readNatsUrl({ KITH_NATS_URL: url }: Environment, database: DatabaseSettings | undefined): string | undefined {
  if (!url) return undefined
  if (!database) throw new SettingsError('KITH_NATS_URL is for nodes that share a database: set KITH_DATABASE_URL too')
  if (!/^(nats|tls):\/\/[^/?#]+\/?$/.test(url)) {
    throw new SettingsError('KITH_NATS_URL must be a URL, as in nats://host1,host2:4222')
  }
  return url
}

/** Nodes share a database. Therefore no state may be in a folder of one node, and no node may generate its own secrets. */
function expectSharedState(folder: string | undefined, env: Environment): void {
  if (folder !== undefined) throw new SettingsError('give KITH_DATABASE_URL or --data, not both')
  if (!(env['KITH_TOKEN_SECRET'] || env['KITH_JWKS_URL']) || !env['KITH_ADMIN_KEY']) {
    throw new SettingsError(
      'with KITH_DATABASE_URL set KITH_TOKEN_SECRET (or KITH_JWKS_URL) and KITH_ADMIN_KEY, the same on each node',
    )
  }
}

/** Reads how tokens are checked and, with a secret, issued. */
export async function readTokenSettings(folder: string, env: Environment): Promise<TokenSettings> {
  const { KITH_TOKEN_SECRET: secret, KITH_JWKS_URL: jwksUrl } = env
  if (secret && jwksUrl) throw new SettingsError('set KITH_TOKEN_SECRET or KITH_JWKS_URL, not both')
  const common = {
    audience: env['KITH_TOKEN_AUDIENCE'] || undefined,
    issuer: env['KITH_TOKEN_ISSUER'] || undefined,
  }
  if (jwksUrl) {
    if (!URL.canParse(jwksUrl)) throw new SettingsError('KITH_JWKS_URL must be a URL, as in https://host/jwks.json')
    return { ...common, jwksUrl: new URL(jwksUrl) }
  }
  return { ...common, secret: new TextEncoder().encode(secret || (await ownSecret(folder, 'token-secret'))) }
}

function parse(args: readonly string[]): { values: { port: string; host: string; data?: string; limits?: string } } {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: false }) as ReturnType<typeof parse>
  } catch (error) {
    throw new SettingsError(error instanceof Error ? error.message : String(error), { cause: error })
  }
}

async function readLimits(file: string | undefined, env: Environment): Promise<Limits> {
  const limits: Record<string, number> = { ...defaultLimits }
  if (file !== undefined) Object.assign(limits, checkLimits(await readJson(file), `--limits ${file}`))
  const variables = new Map(Object.keys(defaultLimits).map(name => [variableOf(name), name]))
  for (const variable of Object.keys(env)) {
    if (variable.startsWith('KITH_LIMIT_') && !variables.has(variable)) {
      throw new SettingsError(`no limit is set by ${variable}; known are ${[...variables.keys()].join(', ')}`)
    }
  }
  for (const [variable, name] of variables) {
    const value = env[variable]
    if (value) Object.assign(limits, checkLimits({ [name]: Number(value) }, variable))
  }
  return limits as unknown as Limits
}

function variableOf(limit: string): string {
  return `KITH_LIMIT_${limit.replace(/[A-Z]/g, letter => `_${letter}`).toUpperCase()}`
}

async function readJson(file: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(file, 'utf8'))
  } catch (error) {
    throw new SettingsError(`--limits must name a readable JSON file: ${String(error)}`, { cause: error })
  }
}

function checkLimits(given: unknown, source: string): Record<string, number> {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw new SettingsError(`${source}: expected an object of limits, as in { "labelBytes": 128 }`)
  }
  for (const [name, value] of Object.entries(given)) {
    if (!Object.hasOwn(defaultLimits, name)) {
      throw new SettingsError(
        `${source}: no limit is called ${name}; known are ${Object.keys(defaultLimits).join(', ')}`,
      )
    }
    if (!Number.isSafeInteger(value) || value < 0) {
      throw new SettingsError(`${source}: ${name} must be a whole number, 0 or more`)
    }
  }
  return given as Record<string, number>
}

function readLogLevel(value: string | undefined): LogLevel {
  const level = value || 'info'
  if (isLogLevel(level)) return level
  throw new SettingsError(`KITH_LOG_LEVEL must be one of ${logLevels.join(', ')}, not ${JSON.stringify(level)}`)
}

function isLogLevel(level: string): level is LogLevel {
  return (logLevels as readonly string[]).includes(level)
}

function readMessagePolicy(value: string | undefined): Audience {
  const policy = value || 'everyone'
  if (isAudience(policy)) return policy
  throw new SettingsError(`KITH_MESSAGE_POLICY must be one of ${audiences.join(', ')}, not ${JSON.stringify(policy)}`)
}

function readProxies(value: string | undefined): string[] {
  const proxies = (value ?? '').split(',').map(proxy => proxy.trim())
  const named = proxies.filter(proxy => proxy !== '')
  try {
    proxyAddress.compile(named)
  } catch (error) {
    throw new SettingsError(`KITH_TRUSTED_PROXIES: ${String(error)}; name addresses or networks, as in 10.0.0.0/8`, {
      cause: error,
    })
  }
  return named
}
