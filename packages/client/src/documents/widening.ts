import { isNarrowing } from '@kith/shared'
import * as Y from 'yjs'
import { appendPart, type Part, partsOf } from './deleted-parts.ts'
import type { DeletedRange } from './update-writer.ts'

/**
 * Splits deletions into two parts. `widening` deletions let others see more, such as the end of a block. In a roster, they are
 * sent last. If they were sent first with the others, a viewer would see content that the user removed or narrowed earlier
 * [V6].
 */
export function wideningApart(
  doc: Y.Doc,
  ranges: readonly DeletedRange[],
): { narrowing: DeletedRange[]; widening: DeletedRange[] } {
  const names = new Map<unknown, string>([...doc.share].map(([name, type]) => [type, name]))
  const isWidening = ({ struct }: Part): boolean => {
    const root = struct instanceof Y.Item ? names.get(struct.parent) : undefined
    return root !== undefined && !isNarrowing({ root, key: '', value: undefined })
  }
  const [narrowing, widening]: [DeletedRange[], DeletedRange[]] = [[], []]
  for (const range of ranges) {
    for (const part of partsOf(doc, range)) appendPart(isWidening(part) ? widening : narrowing, range.client, part)
  }
  return { narrowing, widening }
}
