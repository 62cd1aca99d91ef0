import type { Kith } from '@kith/client'
import { coreOf } from './client-internals.ts'

/** Nothing of this tab reaches the database, or another one in its place, until it wakes. */
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
