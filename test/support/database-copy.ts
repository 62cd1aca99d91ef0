import { IDBFactory } from 'fake-indexeddb'

/** Returns a copy of a closed database, as a restored backup or a cloned disk would contain. */
export async function copyOf(indexedDB: IDBFactory, name: string): Promise<IDBFactory> {
  const copy = new IDBFactory()
  const from = await opened(indexedDB.open(name))
  const to = await opened(copy.open(name, from.version), database => {
    for (const store of from.objectStoreNames) {
      const source = from.transaction(store).objectStore(store)
      const made = database.createObjectStore(store, {
        keyPath: source.keyPath as string,
        autoIncrement: source.autoIncrement,
      })
      for (const index of source.indexNames) made.createIndex(index, source.index(index).keyPath)
    }
  })
  for (const name of from.objectStoreNames) {
    const source = from.transaction(name).objectStore(name)
    const rows = await done(source.getAll())
    const last = source.autoIncrement ? (await nextNumber(from, name)) - 1 : 0
    const store = to.transaction(name, 'readwrite').objectStore(name)
    if (last > 0) {
      // Numbers of removed rows are not given out again.
      void store.put({ [store.keyPath as string]: last })
      void store.delete(last)
    }
    await Promise.all(rows.map(row => done(store.put(row))))
  }
  from.close()
  to.close()
  return copy
}

/** Returns the number that the next new row of a store gets. */
async function nextNumber(database: IDBDatabase, name: string): Promise<number> {
  const transaction = database.transaction(name, 'readwrite')
  const next = await done(transaction.objectStore(name).add({}))
  transaction.abort()
  return next as number
}

function opened(request: IDBOpenDBRequest, upgrade?: (database: IDBDatabase) => void): Promise<IDBDatabase> {
  request.onupgradeneeded = () => upgrade?.(request.result)
  return done(request)
}

export function done<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error)
  })
}
