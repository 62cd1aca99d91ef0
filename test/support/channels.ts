import type { OpenTabChannel, TabChannel } from '@kith/client'
import { Locks } from './locks.ts'

/** The broadcast channels of one browser profile. The other ends receive a message a moment later, in order. */
export class Channels {
  readonly #ends = new Map<string, Set<TabChannel>>()

  readonly open = (name: string): TabChannel => {
    const ends = this.#ends.get(name) ?? new Set()
    this.#ends.set(name, ends)
    const end: TabChannel = {
      onmessage: null,
      postMessage(message) {
        for (const other of ends) {
          if (other !== end)
            setImmediate(() => ends.has(other) && other.onmessage?.({ data: structuredClone(message) }))
        }
      },
      close: () => void ends.delete(end),
    }
    ends.add(end)
    return end
  }
}

/** What the tabs of one browser profile share in addition to its databases. */
export function sharedByTabs(): { locks: Locks; openChannel: OpenTabChannel } {
  return { locks: new Locks(), openChannel: new Channels().open }
}
