import type { ContentLimits, FieldValue } from '@kith/shared'
import { valueBytes } from '@kith/shared'
import type { Refusal } from '../database/rebuild.ts'
import type { DocumentName } from '../documents/name.ts'
import { onlyValue } from '../documents/pieces.ts'

/** What a frame that waits takes in memory besides its bytes, at most. */
export const frameOverheadBytes = 1024

/** An update that is on its way. */
export interface InFlight {
  document: DocumentName
  update: Uint8Array
}

/** The server closed the socket rather than take a value of that size, alone in its frame. */
export interface Recovery {
  document: DocumentName
  refusal: Refusal
}

/** Well below what a server takes by default, and little enough work for it at a time [S3]. */
export const mostFrameBytes: number = 256 * 1024

/**
 * How large the frames are that a server takes, as far as this device has found out. A frame that is too large closes the
 * connection: the next session then sends pieces of half that size, until a single change is known not to fit.
 */
export class FrameSizes {
  readonly #most: Record<DocumentName, number> = { roster: mostFrameBytes, profile: mostFrameBytes }

  /** As large as an update of this document may be, unless it is a single change. */
  most(document: DocumentName, { rosterBytes }: ContentLimits): number {
    const most = this.#most[document]
    // A frame of one's own roster may be as large as the roster [S3].
    return document === 'roster' ? Math.min(most, rosterBytes) : most
  }

  /**
   * This update closed the connection. Returns what the next session does: it sends smaller pieces, or keeps a single value
   * here as `recovery` says [D6]. `undefined` when neither helps.
   */
  wasTooLarge({ document, update }: InFlight): { recovery: Recovery | undefined } | undefined {
    const value = onlyValue(update)
    if (value !== undefined) {
      const code = document === 'roster' ? 'roster-too-large' : 'frame-too-large'
      return { recovery: { document, refusal: { code, valueBytes: valueBytes(value as FieldValue) } } }
    }
    const half = Math.floor(Math.min(this.#most[document], update.length) / 2)
    if (half < 8) return undefined
    this.#most[document] = half
    return { recovery: undefined }
  }
}
