import type { Kith } from '@kith/client'
import { coreOf } from './client-internals.ts'

/** Holds back everything that this tab sends to a database, also to a later one, until the returned function wakes the tab. */
export function asleep(kith: Kith): () => void {
  const { store } = coreOf(kith)
  let wake: () => void = () => undefined
  const sleep = new Promise<void>(resolve => {
    wake = resolve
  })
  const methods = ['work', 'use'] as const
  for (const name of methods) {
    const method = store[name]
    store[name] = (async (...details: unknown[]) => {
      await sleep
      return Reflect.apply(method, store, details)
    }) as never
  }
  return () => {
    for (const name of methods) Reflect.deleteProperty(store, name)
    wake()
  }
}
