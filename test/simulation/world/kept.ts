import { type Facts, narrowness, undoing } from '../model/edits.ts'
import type { Device } from './device.ts'
import type { KnownEdit } from './record.ts'

/** Where an edit is looked for that is not there as it was made. */
export interface Place {
  /** What stands there. */
  facts: Facts
  /** The edits that are there as they were made. */
  included: ReadonlySet<KnownEdit>
  /** All that were ever made. */
  edits: readonly KnownEdit[]
  device: Device
  /** Facts that may be absent for a while. */
  absent?: readonly string[]
}

/**
 * Whether all that an edit said stands in a place where the edit itself is not, or was changed by others which the edit had
 * not seen: `undefined` then, else the name of a fact that is lost.
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
      // A lifting removes the keys that it had seen; of a field's writers another may count, and the narrowest audience does.
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
 * An edit that was made again may stand beside what it had seen, and what the first one had not. What says once more only
 * what the edit had seen is no newer than the edit.
 */
function hasReplaced({ seen, again }: KnownEdit, other: KnownEdit): boolean {
  if (again) return again.replaces.has(other.id)
  return seen.has(other.id) || (other.again !== undefined && [...other.again.restates].every(id => seen.has(id)))
}
