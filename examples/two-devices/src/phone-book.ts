import { existsSync, readFileSync } from 'node:fs'

const candidates = ['../../../../shared/corpus/phonebook-raw.txt', '../phone-book.txt']

/** A phone book as an address book hands it out: the large one where it lies beside the project, else a small one. */
export function readPhoneBook(): string[] {
  const file = candidates.map(path => new URL(path, import.meta.url)).find(url => existsSync(url))
  return readFileSync(file as URL, 'utf8')
    .split('\n')
    .filter(line => line !== '')
}
