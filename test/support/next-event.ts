import type { Kith, KithEvents } from '@kith/client'

/** Resolves to the next such event, or to the next one that the condition accepts. */
export function nextEvent<E extends keyof KithEvents>(
  kith: Kith,
  event: E,
  fits: (...details: KithEvents[E]) => boolean = () => true,
): Promise<KithEvents[E]> {
  return new Promise(resolve => {
    const stop = kith.on(event, (...details: KithEvents[E]) => {
      if (!fits(...details)) return
      stop()
      resolve(details)
    })
  })
}
