import { type FieldValue, isLevel, isUserId, KithError, maxNameBytes, utf8Length } from '@kith/shared'
import { accountFormat, accountVersion, decodeValue, type FileContact } from '@kith/shared/account'

/** The checked content of a file. */
export interface Account {
  user: string
  fields: { level: number; name: string; value: FieldValue }[]
  contacts: FileContact[]
  settings: [name: string, value: string | number | boolean][]
  privacy: string[]
}

/**
 * Reads the file of an account. Throws `malformed` with the place and the expected value; returns all of the file or nothing.
 * `maxTextBytes`: the limit of labels, which the server also applies to the texts of settings.
 */
export function readAccountFile(text: string, maxTextBytes: number): Account {
  const file = objectAt('The file', parse(text))
  if (file['format'] !== accountFormat) {
    throw malformed('format', `'${accountFormat}'`, file['format'])
  }
  if (file['version'] !== accountVersion) {
    const advice = 'load the newest version of the app, if a later one made the file'
    throw malformed(
      'version',
      `${accountVersion}, the one that this version of Kith reads (${advice})`,
      file['version'],
    )
  }
  only('', file, ['format', 'version', 'user', 'exportedAt', 'profile', 'contacts', 'settings', 'privacy'])
  if (!isUserId(file['user'])) throw malformed('user', 'a user id', file['user'])
  return {
    user: file['user'],
    fields: fieldsIn(file['profile']),
    contacts: contactsIn(file['contacts']),
    settings: settingsIn(file['settings'], maxTextBytes),
    privacy: listAt('privacy', file['privacy']).map((name, index) => settingName(`privacy[${index}]`, name)),
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new KithError('malformed', 'The file is not JSON: choose a file that exportAccount made', { cause })
  }
}

function fieldsIn(profile: unknown): Account['fields'] {
  const levels = new Set<number>()
  return listAt('profile', profile).flatMap((item, index) => {
    const place = `profile[${index}]`
    const { level, fields, ...others } = objectAt(place, item)
    only(`${place}.`, others, [])
    if (!isLevel(level)) throw malformed(`${place}.level`, 'an integer from 0 to 255', level)
    if (levels.has(level)) throw malformed(`${place}.level`, 'a level that the file has not had before', level)
    levels.add(level)
    return Object.entries(objectAt(`${place}.fields`, fields)).map(([name, encoded]) => {
      const at = `${place}.fields[${shown(name)}]`
      nameAt(at, name)
      const value = decodeValue(encoded)
      const isText = typeof value !== 'string' || isWellFormed(value)
      if (value !== undefined && isText) return { level, name, value }
      throw malformed(at, 'a string, a number, true, false, { base64 } or { number }', encoded)
    })
  })
}

const flags = ['isContact', 'isSubscribed', 'isDeclined', 'isBlocked', 'hasChangedHands'] as const

function contactsIn(contacts: unknown): FileContact[] {
  const ids = new Set<string>()
  return listAt('contacts', contacts).map((item, index) => {
    const place = `contacts[${index}]`
    const contact = objectAt(place, item)
    only(`${place}.`, contact, ['id', 'label', 'levels', ...flags])
    const { id, label, levels } = contact
    if (!isUserId(id)) throw malformed(`${place}.id`, 'a user id', id)
    if (ids.has(id)) throw malformed(`${place}.id`, 'an id that the file has not had before', id)
    ids.add(id)
    if (label !== undefined) nameAt(`${place}.label`, label)
    for (const flag of flags) {
      const value = contact[flag]
      if (value !== undefined && typeof value !== 'boolean') throw malformed(`${place}.${flag}`, 'true or false', value)
    }
    for (const [at, level] of levels === undefined ? [] : listAt(`${place}.levels`, levels).entries()) {
      if (!isLevel(level)) throw malformed(`${place}.levels[${at}]`, 'an integer from 0 to 255', level)
    }
    return contact as unknown as FileContact
  })
}

function settingsIn(settings: unknown, maxTextBytes: number): Account['settings'] {
  return Object.entries(objectAt('settings', settings)).map(([name, encoded]) => {
    const place = `settings[${shown(name)}]`
    settingName(place, name)
    const value = decodeValue(encoded)
    if (typeof value === 'string') return [name, nameAt(place, value, 0, maxTextBytes)]
    if (typeof value === 'number' || typeof value === 'boolean') return [name, value]
    throw malformed(place, 'a string, a number, true, false or { number }', encoded)
  })
}

/** A longer name would be refused by every server, and would stay on this device as a change that cannot be sent. */
function settingName(place: string, name: unknown): string {
  return nameAt(place, name, 1, maxNameBytes)
}

/** An unknown property is an error: it would be lost. */
function only(place: string, object: object, known: readonly string[]): void {
  const other = Object.keys(object).find(name => !known.includes(name))
  if (other === undefined) return
  throw new KithError('malformed', `${place}${other} is unknown in the file of an account: nothing was imported`)
}

function objectAt(place: string, value: unknown): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>
  throw malformed(place, 'an object', value)
}

function listAt(place: string, value: unknown): unknown[] {
  if (Array.isArray(value)) return value
  throw malformed(place, 'a list', value)
}

function nameAt(place: string, value: unknown, minLength = 1, maxBytes = Infinity): string {
  if (typeof value !== 'string' || value.length < minLength || !isWellFormed(value)) {
    throw malformed(place, minLength > 0 ? 'a well-formed string that is not empty' : 'a well-formed string', value)
  }
  if (utf8Length(value) > maxBytes) throw malformed(place, `a string of at most ${maxBytes} bytes`, value)
  return value
}

function isWellFormed(text: string): boolean {
  return !/\p{Cs}/u.test(text)
}

function malformed(place: string, wanted: string, found: unknown): KithError {
  return new KithError('malformed', `${place} must be ${wanted}, and is ${shown(found)}: nothing was imported`)
}

/** A value as JSON, shortened. */
function shown(value: unknown): string {
  const json = JSON.stringify(value) ?? 'absent'
  return json.length > 60 ? `${json.slice(0, 59)}…` : json
}
