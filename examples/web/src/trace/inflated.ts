import { decodeFrame } from '@kith/shared/wire'
import type { Happening } from './recording-socket.ts'

const deflatedRosterType = 118

/** Passes events on in their order; a compressed update of a roster together with its content, once that is inflated. */
export function inflating(tell: (happening: Happening) => void): (happening: Happening) => void {
  let last: Promise<void> | undefined
  return happening => {
    const isCompressed = happening.type === 'frame' && happening.bytes[0] === deflatedRosterType
    if (!last && !isCompressed) return tell(happening)
    const told = (last ?? Promise.resolve())
      .then(async () => tell(isCompressed ? { ...happening, update: await updateOf(happening.bytes) } : happening))
      .catch((error: unknown) => reportError(error))
      .finally(() => {
        if (last === told) last = undefined
      })
    last = told
  }
}

/** Resolves to `undefined` if the bytes are invalid. */
async function updateOf(bytes: Uint8Array): Promise<Uint8Array | undefined> {
  const message = decodeFrame(bytes)
  if (message.type !== 'deflatedRoster') return undefined
  try {
    const inflated = new Blob([message.payload as Uint8Array<ArrayBuffer>])
      .stream()
      .pipeThrough(new DecompressionStream('deflate-raw'))
    return new Uint8Array(await new Response(inflated).arrayBuffer())
  } catch {
    return undefined
  }
}
