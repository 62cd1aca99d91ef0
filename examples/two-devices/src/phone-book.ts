import { existsSync, readFileSync } from 'node:fs'

const candidates = ['../../../../shared/corpus/phonebook-raw.txt', '../phone-book.txt']

/** Reads a phone book as exported by an address book: the large one if it is beside the project, otherwise a small one. */
export function readPhoneBook(): string[] {
  const file = candidates.map(path => new URL(path, import.meta.url)).find(url => existsSync(url))
  return readFileSync(file as URL, 'utf8')
    .split('\n')
    .filter(line => line !== '')
}
