import { existsSync } from 'node:fs'
import { isUserId } from '@kith/shared'
import { systemClock } from '../clock.ts'
import { type Environment, SettingsError } from '../environment.ts'
import { readTokenSettings } from '../settings.ts'
import { neverRevoked, Tokens } from '../tokens.ts'
import { readDataOption } from './data-option.ts'

/** Prints a token for a user, signed with the secret of the data folder or of KITH_TOKEN_SECRET. */
export async function runToken(args: readonly string[], env: Environment): Promise<number> {
  const { folder, positionals } = readDataOption(args, 1)
  const [user] = positionals
  if (!isUserId(user)) {
    throw new SettingsError(
      `${JSON.stringify(user)} is no user id: 1 to 128 bytes in NFC, no control characters, no white space at the ends`,
    )
  }
  if (!env['KITH_TOKEN_SECRET'] && !env['KITH_JWKS_URL'] && !existsSync(folder)) {
    throw new SettingsError(`there is no folder ${folder}: start the server first, or check --data`)
  }
  const settings = await readTokenSettings(folder, env)
  if (settings.jwksUrl) throw new SettingsError('with KITH_JWKS_URL tokens come from its issuer, not from here')
  const tokens = new Tokens(settings, systemClock, neverRevoked(systemClock))
  process.stdout.write(`${await tokens.issue(user)}\n`)
  return 0
}
