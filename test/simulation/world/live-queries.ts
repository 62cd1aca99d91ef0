import { Dexie, RangeSet } from 'dexie'

interface Listeners {
  subscribers: unknown[]
  unsubscribe(subscriber: unknown): void
}

/** Returns a function that ends all live queries begun since. Otherwise those of a killed process would continue for ever. */
export function watchLiveQueries(): () => void {
  const listeners = (Dexie as unknown as { on: { storagemutated: Listeners } }).on.storagemutated
  const before = new Set(listeners.subscribers)
  return () => {
    for (const subscriber of [...listeners.subscribers]) {
      if (!before.has(subscriber)) listeners.unsubscribe(subscriber)
    }
  }
}

/** Makes all live queries read again, as if everything had changed. */
export function readAgain(): void {
  Dexie.on.storagemutated.fire({ all: new RangeSet(-Infinity, [[[]]]) })
}
