export type Environment = Readonly<Record<string, string | undefined>>

/** A mistake on the command line or in the environment; the message says what to do. */
export class SettingsError extends Error {}

export function readSwitch(env: Environment, name: string, otherwise: boolean): boolean {
  const value = env[name]
  if (!value) return otherwise
  if (value !== 'true' && value !== 'false') throw new SettingsError(`${name} must be true or false`)
  return value === 'true'
}
