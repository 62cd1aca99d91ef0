interface Transaction {
  db: IDBDatabase
  _state?: string
  abort(): void
}

/** IndexedDB as one process sees it. When the process is killed, its incomplete transactions are undone, and no more follow. */
export class MortalDatabase {
  readonly factory: IDBFactory
  readonly #open = new Set<IDBDatabase>()
  #isDead = false

  constructor(inner: IDBFactory) {
    this.factory = new Proxy(inner, {
      get: (target, name) => {
        if (name === 'open') return (...details: [string, number?]) => this.#opening(target, details)
        const value: unknown = Reflect.get(target, name, target)
        return typeof value === 'function' ? value.bind(target) : value
      },
    })
  }

  #opening(inner: IDBFactory, details: [string, number?]): IDBOpenDBRequest {
    if (this.#isDead) throw new Error('this process is dead')
    const request = inner.open(...details)
    request.addEventListener('success', () => {
      const database = request.result
      const begin = database.transaction.bind(database)
      // Before any other code has the database, since Dexie keeps the function.
      database.transaction = (...names: Parameters<typeof begin>) => {
        if (this.#isDead) throw new Error('this process is dead')
        return begin(...names)
      }
      if (this.#isDead) database.close()
      else this.#open.add(database)
    })
    return request
  }

  kill(): void {
    this.#isDead = true
    for (const database of this.#open) {
      const raw = (database as unknown as { _rawDatabase: { transactions: Transaction[] } })._rawDatabase
      for (const transaction of raw.transactions) {
        if (transaction.db === database && canAbort(transaction)) transaction.abort()
      }
      database.close()
    }
  }
}

function canAbort({ _state }: Transaction): boolean {
  return _state !== 'committing' && _state !== 'finished'
}
