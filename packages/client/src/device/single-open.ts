import { KithError } from '@kith/shared'

const namesByStorage = new WeakMap<object, Set<string>>()

/**
 * Without Web Locks nothing tells two clients of one database which has the socket, so a second one is refused, as far as
 * this process can see: `database-in-use`. The answer gives the name free again.
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
