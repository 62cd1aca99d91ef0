import type { Subscribable } from '@kith/client'
import { onTestFinished } from 'vitest'

/** Collects everything that an observable emits from now on, until the test ends. */
export function emissions<T>(observable: Subscribable<T>): T[] {
  const emitted: T[] = []
  const subscription = observable.subscribe(value => emitted.push(value))
  onTestFinished(() => subscription.unsubscribe())
  return emitted
}
