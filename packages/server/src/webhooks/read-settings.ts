import { type Environment, readSwitch, SettingsError } from '../environment.ts'
import { addressProblem, defaultMostEvents, isMostEvents, keysOf, type WebhookSettings } from './settings.ts'

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
  const problem = addressProblem(given)
  if (problem) throw new SettingsError(`KITH_WEBHOOK_URL ${problem}`)
  return new URL(given)
}

function readKeys(secrets: string): Uint8Array[] {
  const keys = keysOf(secrets.split(/[\s,]+/).filter(secret => secret !== ''))
  if (keys) return keys
  throw new SettingsError(
    'KITH_WEBHOOK_SECRET must be whsec_ and base64 of 24 to 64 bytes, as of: echo whsec_$(openssl rand -base64 32); ' +
      'while it is being replaced, two of them, separated by a space',
  )
}

function readMost(value: string | undefined): number {
  if (!value) return defaultMostEvents
  const most = Number(value)
  if (isMostEvents(most)) return most
  throw new SettingsError('KITH_WEBHOOK_MOST_EVENTS must be a whole number, 1 or more')
}
