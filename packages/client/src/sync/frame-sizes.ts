import type { ContentLimits, FieldValue } from '@kith/shared'
import { valueBytes } from '@kith/shared'
import type { DocumentName } from '../documents/name.ts'
import { onlyValue } from '../documents/pieces.ts'

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
   * This update closed the connection. Returns what to do: send smaller pieces, refuse values from so many bytes on, or
   * nothing, where no piece can be smaller.
   */
  wasTooLarge(
    document: DocumentName,
    update: Uint8Array,
  ): { type: 'smaller' } | { type: 'refuse'; valueBytes: number } | undefined {
    const value = onlyValue(update)
    if (value !== undefined) return { type: 'refuse', valueBytes: valueBytes(value as FieldValue) }
    const half = Math.floor(Math.min(this.#most[document], update.length) / 2)
    if (half < 8) return undefined
    this.#most[document] = half
    return { type: 'smaller' }
  }
}
