import { getHeapStatistics, setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/** A heap below this is not worth a collection. */
const smallHeapBytes = 64 * 1024 * 1024

let collect: (() => void) | undefined

/**
 * Collects the garbage of this thread at once, as V8 would only do when its heap has grown: after a large document was
 * closed, the next one would be loaded beside it. It takes a tenth of a second or more, so it is for a thread of its own.
 */
export function collectGarbage(): void {
  if (getHeapStatistics().used_heap_size < smallHeapBytes) return
  if (!collect) {
    setFlagsFromString('--expose-gc')
    collect = runInNewContext('gc') as () => void
    setFlagsFromString('--no-expose-gc')
  }
  collect()
}
