import { IDBObjectStore } from 'fake-indexeddb'
import { onTestFinished } from 'vitest'

/** Writes to every store for which `isFull` returns true fail. Deletions are writes too. */
export function fullDisk(isFull: (store: IDBObjectStore) => boolean = () => true): { makeRoom(): void } {
  const { add, put, delete: remove } = IDBObjectStore.prototype
  const original = { add, put, delete: remove }
  const makeRoom = (): void => {
    Object.assign(IDBObjectStore.prototype, original)
  }
  for (const verb of ['add', 'put', 'delete'] as const) {
    const write: (...details: never[]) => unknown = original[verb]
    Object.assign(IDBObjectStore.prototype, {
      [verb](this: IDBObjectStore, ...details: never[]) {
        if (isFull(this)) throw new DOMException('The disk is full', 'QuotaExceededError')
        return write.apply(this, details)
      },
    })
  }
  onTestFinished(makeRoom)
  return { makeRoom }
}
