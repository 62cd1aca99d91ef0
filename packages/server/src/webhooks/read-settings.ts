import { type Environment, readSwitch, SettingsError } from '../environment.ts'
import { defaultMostEvents, type WebhookSettings } from './settings.ts'
import { keyOf } from './signature.ts'

/** Returns the receiver of KITH_WEBHOOK_URL, or `undefined` if it is not set. Throws {@link SettingsError}. */
export function readWebhook(env: Environment): WebhookSettings | undefined {
  const { KITH_WEBHOOK_URL: given, KITH_WEBHOOK_SECRET: secrets } = env
  if (!given) {
    if (secrets) throw new SettingsError('KITH_WEBHOOK_SECRET is of a webhook: set KITH_WEBHOOK_URL too')
    return undefined
  }
  return {
    url: readUrl(given),
    keys: readKeys(secrets ?? ''),
    includesText: readSwitch(env, 'KITH_WEBHOOK_INCLUDE_TEXT', false),
    mostEvents: readMost(env['KITH_WEBHOOK_MOST_EVENTS']),
  }
}

function readUrl(given: string): URL {
  const url = URL.canParse(given) ? new URL(given) : undefined
  if (!url || !['http:', 'https:'].includes(url.protocol)) {
    throw new SettingsError('KITH_WEBHOOK_URL must be an address, as in https://host/kith-events')
  }
  if (url.username || url.password) {
    throw new SettingsError(
      'KITH_WEBHOOK_URL must have no user and password: the receiver checks the signature instead',
    )
  }
  return url
}

function readKeys(secrets: string): Uint8Array[] {
  const keys = secrets.split(/[\s,]+/).flatMap(secret => (secret === '' ? [] : [keyOf(secret)]))
  const known = keys.filter(key => key !== undefined)
  if (known.length === keys.length && known.length > 0 && known.length <= 2) return known
  throw new SettingsError(
    'KITH_WEBHOOK_SECRET must be whsec_ and base64 of 24 to 64 bytes, as of: echo whsec_$(openssl rand -base64 32); ' +
      'while it is being replaced, two of them, separated by a space',
  )
}

function readMost(value: string | undefined): number {
  if (!value) return defaultMostEvents
  const most = Number(value)
  if (Number.isSafeInteger(most) && most > 0) return most
  throw new SettingsError('KITH_WEBHOOK_MOST_EVENTS must be a whole number, 1 or more')
}
