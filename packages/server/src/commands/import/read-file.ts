import { createReadStream } from 'node:fs'
import { parseUserId } from '@kith/shared'
import { type ContactEntry, PhoneBook, PhoneBookReader } from '@kith/shared/import'
import { SettingsError } from '../../environment.ts'
import type { ImportOptions } from './options.ts'

/** A longer label is refused by a server with the usual limits. */
const labelBytes = 256

/** Reads a phone book. `notice` gets each entry. Throws {@link SettingsError} for a file that cannot be read. */
export async function readPhoneBook(
  { file, format, user, phoneNumbers }: ImportOptions,
  notice: (entry: ContactEntry) => void,
): Promise<PhoneBook> {
  const parse = phoneNumbers ? await phoneNumberParser(phoneNumbers.region) : parseUserId
  const book = new PhoneBook({ self: user, parse, labelBytes, kind: phoneNumbers ? 'phone-numbers' : 'both' })
  const reader = new PhoneBookReader(format)
  const take = (entries: readonly ContactEntry[]): void => {
    for (const entry of entries) {
      notice(entry)
      book.add(entry)
    }
  }
  try {
    for await (const bytes of createReadStream(file)) take(reader.push(bytes))
  } catch (error) {
    throw new SettingsError(`${file} cannot be read: ${(error as Error).message}`, { cause: error })
  }
  take(reader.end())
  return book
}

async function phoneNumberParser(region: string | undefined): Promise<PhoneBookOptions['parse']> {
  const { isSupportedRegion, normalisePhoneNumber } = await import('@kith/shared/phone')
  if (region !== undefined && !isSupportedRegion(region)) {
    throw new SettingsError(`there is no region ${region}: give two capital letters, as in --region GB`)
  }
  return input => normalisePhoneNumber(input, { region })
}

type PhoneBookOptions = ConstructorParameters<typeof PhoneBook>[0]
