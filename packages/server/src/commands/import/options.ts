import { parseArgs } from 'node:util'
import { isLevel, isUserId } from '@kith/shared'
import type { PhoneBookFormat } from '@kith/shared/import'
import { SettingsError } from '../../environment.ts'

export interface ImportOptions {
  file: string
  user: string
  /** The server's address, as in `ws://127.0.0.1:4180`. */
  url: string
  /** The folder with the server's own secret, for signing a token. */
  folder: string
  format: PhoneBookFormat | undefined
  /** `undefined` if each address counts as a user id. */
  phoneNumbers: { region: string | undefined } | undefined
  levels: number[] | undefined
  isSubscribed: true | undefined
  isDryRun: boolean
  /** The file that records what was imported. */
  record: string | undefined
  removesGone: boolean
}

const options = {
  user: { type: 'string' },
  url: { type: 'string', default: 'ws://127.0.0.1:4180' },
  data: { type: 'string', default: './data' },
  format: { type: 'string' },
  'phone-numbers': { type: 'boolean', default: false },
  region: { type: 'string' },
  levels: { type: 'string' },
  subscribe: { type: 'boolean', default: false },
  'dry-run': { type: 'boolean', default: false },
  record: { type: 'string' },
  'remove-gone': { type: 'boolean', default: false },
} as const

/** Reads the command line of `import`. Throws {@link SettingsError}. */
export function readImportOptions(args: readonly string[]): ImportOptions {
  const { values, positionals } = parsed(args)
  const [file, ...others] = positionals
  if (file === undefined || others.length > 0) throw new SettingsError('name one file to import')
  if (!isUserId(values.user)) throw new SettingsError('name the user whose contacts these are: --user USER')
  const { format, record } = values
  if (format !== undefined && format !== 'vcard' && format !== 'csv') {
    throw new SettingsError(`--format must be vcard or csv, not ${JSON.stringify(format)}`)
  }
  if (values['remove-gone'] && record === undefined) {
    throw new SettingsError('--remove-gone needs --record FILE: it tells who was in the phone book before')
  }
  return {
    ...{ file, user: values.user, url: urlOf(values.url), folder: values.data, format, record },
    phoneNumbers: values['phone-numbers'] || values.region !== undefined ? { region: values.region } : undefined,
    levels: values.levels === undefined ? undefined : levelsOf(values.levels),
    isSubscribed: values.subscribe || undefined,
    isDryRun: values['dry-run'],
    removesGone: values['remove-gone'],
  }
}

function parsed(
  args: readonly string[],
): ReturnType<typeof parseArgs<{ options: typeof options; allowPositionals: true }>> {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true })
  } catch (error) {
    throw new SettingsError(error instanceof Error ? error.message : String(error), { cause: error })
  }
}

function urlOf(url: string): string {
  if (!URL.canParse(url) || !/^(?:ws|http)s?:/.test(url)) {
    throw new SettingsError(`--url must be the address of a running server, as in ws://127.0.0.1:4180, not ${url}`)
  }
  return url.replace(/^http/, 'ws').replace(/\/+$/, '')
}

function levelsOf(text: string): number[] {
  const levels = text.split(',').map(level => (/^\d{1,3}$/.test(level.trim()) ? Number(level) : Number.NaN))
  if (!levels.every(isLevel)) throw new SettingsError('--levels must be numbers from 0 to 255, as in 1,2,5')
  return levels
}
