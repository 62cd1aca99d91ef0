const firstNames = 'ada alan amal barbara bo chiara chen dorothy edsger fatima grace hedy ivan joan kofi'.split(' ')
const lastNames = 'adeyemi bauer costa dubois eriksson fischer garcia haddad ito jansen kaya lopez moreau'.split(' ')

/** User ids to fill a list; no user has them. */
export function madeUpPhoneBook(count: number): string[] {
  return Array.from({ length: count }, (_, index) => {
    const first = firstNames[index % firstNames.length]
    const last = lastNames[Math.floor(index / firstNames.length) % lastNames.length]
    return `${first}.${last}.${index}@example.org`
  })
}
