import type { DocumentName } from '../documents/name.ts'
import type { FrameSizes } from './frame-sizes.ts'
import type { Recovery } from './sender.ts'

/**
 * What the next session does after the server closed because a frame was too large: what was in it goes in smaller pieces,
 * or stays here as `recovery` says [D6]. `undefined` when neither helps.
 */
export function afterTooLarge(
  inFlight: { document: DocumentName; update: Uint8Array } | undefined,
  sizes: FrameSizes,
): { recovery: Recovery | undefined } | undefined {
  if (!inFlight) return undefined
  const { document, update } = inFlight
  const next = sizes.wasTooLarge(document, update)
  if (next?.type !== 'refuse') return next && { recovery: undefined }
  // A frame of one's own roster may be as large as the roster [S3].
  const code = document === 'roster' ? 'roster-too-large' : 'frame-too-large'
  return { recovery: { document, refusal: { code, valueBytes: next.valueBytes } } }
}
