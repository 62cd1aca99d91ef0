import type { ContentLimits, FieldValue } from '@kith/shared'
import { valueBytes } from '@kith/shared'
import type { Refusal } from '../database/rebuild.ts'
import type { DocumentName } from '../documents/name.ts'
import { onlyValue } from '../documents/pieces.ts'

/** The maximum memory of a queued frame besides its bytes. */
export const frameOverheadBytes = 1024

/** An update that was sent and is not acknowledged. */
export interface InFlight {
  document: DocumentName
  update: Uint8Array
}

/** The server closed the socket instead of accepting a value of that size, which was alone in its frame. */
export interface Recovery {
  document: DocumentName
  refusal: Refusal
}

/** Well below a server's default limit, and little work for it at a time [S3]. */
export const mostFrameBytes: number = 256 * 1024

/**
 * The frame sizes that a server accepts, as far as this device has learned them. A frame that is too large closes the
 * connection. The next session then sends pieces of half that size, until a single change is known to be too large.
 */
export class FrameSizes {
  readonly #most: Record<DocumentName, number> = { roster: mostFrameBytes, profile: mostFrameBytes }

  /** The maximum size of an update of this document, unless it is a single change. */
  most(document: DocumentName, { rosterBytes }: ContentLimits): number {
    const most = this.#most[document]
    // A frame of the own roster may be as large as the roster [S3].
    return document === 'roster' ? Math.min(most, rosterBytes) : most
  }

  /**
   * This update closed the connection. Returns what the next session does: it sends smaller pieces, or keeps a single value on
   * this device, as `recovery` says [D6]. Returns `undefined` when neither helps.
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
