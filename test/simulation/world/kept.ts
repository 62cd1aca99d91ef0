import { type Facts, narrowness, undoing } from '../model/edits.ts'
import type { Device } from './device.ts'
import type { KnownEdit } from './record.ts'

/** A place to search for an edit that is not there as it was made. */
export interface Place {
  /** The facts that stand there. */
  facts: Facts
  /** The edits that are there as they were made. */
  included: ReadonlySet<KnownEdit>
  /** All edits that were ever made. */
  edits: readonly KnownEdit[]
  device: Device
  /** Facts that may be absent for a while. */
  absent?: readonly string[]
}

/**
 * Checks whether everything that an edit said stands in a place that lacks the edit itself. Changes by other edits that it had
 * not seen are accepted. Returns `undefined` in this case, otherwise the name of a lost fact.
 */
export function isAccountedFor(edit: KnownEdit, { facts, included, edits, device, absent }: Place): string | undefined {
  const isChangedSince = (name: string): boolean =>
    edits.some(
      other =>
        other !== edit &&
        other.changes.has(name) &&
        !hasReplaced(edit, other) &&
        (name === 'audience'
          ? undoing(other, edit, name) !== 'no'
          : other.changes.get(name) !== edit.changes.get(name)) &&
        (included.has(other) || device.met.has(other.id)),
    )
  const lost = [...edit.changes].find(
    ([name, value]) =>
      facts.get(name) !== value &&
      // Removing a block removes the keys that it had seen. Another of a field's writers may count. The narrowest audience
      // counts.
      !(value === undefined && name.startsWith('block ')) &&
      !(name === 'audience' && isAsNarrow(facts.get(name), value)) &&
      !absent?.includes(name) &&
      !device.hasTakenBack(name, edit.id) &&
      !isChangedSince(name),
  )
  return lost?.[0]
}

function isAsNarrow(audience: unknown, other: unknown): boolean {
  return (narrowness[String(audience)] ?? 0) >= (narrowness[String(other)] ?? 0)
}

/**
 * An edit that was made again may stand beside an edit that it had seen and the original had not. An edit that only repeats
 * what `edit` had seen is not newer than `edit`.
 */
function hasReplaced({ seen, again }: KnownEdit, other: KnownEdit): boolean {
  if (again) return again.replaces.has(other.id)
  return seen.has(other.id) || (other.again !== undefined && [...other.again.restates].every(id => seen.has(id)))
}
