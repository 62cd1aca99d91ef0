import { KithError } from '@kith/shared'

const namesByStorage = new WeakMap<object, Set<string>>()

/**
 * Without Web Locks, two clients of one database cannot agree on which one has the socket. So a second client in this process
 * is refused with `database-in-use`. Returns a function that releases the name.
 */
export function claimDatabase(storage: object, name: string): () => void {
  const names = namesByStorage.get(storage) ?? new Set<string>()
  namesByStorage.set(storage, names)
  if (names.has(name))
    throw new KithError('database-in-use', `The database ${name} is already open here: close the other client first`)
  names.add(name)
  return () => {
    names.delete(name)
  }
}
