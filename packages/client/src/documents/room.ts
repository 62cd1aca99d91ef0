import {
  type ContentLimits,
  type ErrorCode,
  type FlatMaps,
  fieldBytes,
  isNarrowing,
  type KeyChange,
  parseProfileKey,
  profileRoot,
  rosterBytes,
  rosterEntryBytes,
  utf8Length,
} from '@kith/shared'
import type { DocumentName } from './name.ts'

/** Checks whether changes fit a server, counted as the server counts. Changes that fit use up room. */
export interface Room {
  /** Takes some changes of an entry. Returns why they do not fit, or `undefined`. `below`: the document before this entry. */
  take(changes: readonly KeyChange[], below: FlatMaps): ErrorCode | undefined
  /** The changes since the last call form one entry. The room of what they removed is free from now on. */
  endEntry(): void
}

export function roomOf(document: DocumentName, standing: FlatMaps, limits: ContentLimits): Room {
  return document === 'roster' ? new RosterRoom(standing, limits) : new ProfileRoom(standing, limits)
}

class RosterRoom implements Room {
  readonly #limits: ContentLimits
  #bytes: number
  #freed = 0

  constructor(standing: FlatMaps, limits: ContentLimits) {
    this.#limits = limits
    this.#bytes = rosterBytes(standing)
  }

  take(changes: readonly KeyChange[], below: FlatMaps): ErrorCode | undefined {
    let growth = 0
    let wideningGrowth = 0
    let freed = 0
    for (const change of changes) {
      const { root, key, value } = change
      const old = below.get(root, key)
      const oldBytes = old === undefined ? 0 : rosterEntryBytes(root, key, old)
      const newBytes = value === undefined ? 0 : rosterEntryBytes(root, key, value)
      const isText = root === 'labels' || root === 'settings'
      if (isText && typeof value === 'string' && utf8Length(value) > this.#limits.labelBytes) return 'label-too-long'
      const entryGrowth = Math.max(0, newBytes - oldBytes)
      growth += entryGrowth
      if (!isNarrowing(change)) wideningGrowth += entryGrowth
      freed += Math.max(0, oldBytes - newBytes)
    }
    if (wideningGrowth > 0 && this.#bytes + wideningGrowth > this.#limits.rosterBytes) return 'roster-too-large'
    this.#bytes += growth
    this.#freed += freed
    return undefined
  }

  endEntry(): void {
    this.#bytes -= this.#freed
    this.#freed = 0
  }
}

class ProfileRoom implements Room {
  readonly #limits: ContentLimits
  readonly #levels = new Map<number, { bytes: number; fields: number }>()

  constructor(standing: FlatMaps, limits: ContentLimits) {
    this.#limits = limits
    for (const [key, value] of standing.entries(profileRoot)) {
      const { level, name } = parseProfileKey(key) ?? {}
      if (level !== undefined && name !== undefined) this.#change(level, fieldBytes(name, value), 1)
    }
  }

  take(changes: readonly KeyChange[], below: FlatMaps): ErrorCode | undefined {
    const { fieldNameBytes, profileBytes, profileLevels } = this.#limits
    const growth = new Map<number, { bytes: number; fields: number }>()
    for (const { root, key, value } of changes) {
      const { level, name } = parseProfileKey(key) ?? {}
      if (level === undefined || name === undefined) continue
      if (value !== undefined && utf8Length(name) > fieldNameBytes) return 'field-name-too-long'
      const old = below.get(root, key)
      const more = growth.get(level) ?? { bytes: 0, fields: 0 }
      growth.set(level, more)
      if (old !== undefined) more.bytes -= fieldBytes(name, old)
      if (value !== undefined) more.bytes += fieldBytes(name, value)
      more.fields += (value === undefined ? 0 : 1) - (old === undefined ? 0 : 1)
    }
    for (const [level, { bytes, fields }] of growth) {
      const before = this.#levels.get(level) ?? { bytes: 0, fields: 0 }
      if (bytes > 0 && before.bytes + bytes > profileBytes) return 'profile-too-large'
      const isNew = before.fields === 0 && before.fields + fields > 0
      if (isNew && this.#levels.size >= profileLevels) return 'too-many-levels'
    }
    for (const [level, { bytes, fields }] of growth) this.#change(level, bytes, fields)
    return undefined
  }

  endEntry(): void {
    // The size of a level counts as it is after the whole entry.
  }

  #change(level: number, bytes: number, fields: number): void {
    const known = this.#levels.get(level) ?? { bytes: 0, fields: 0 }
    const after = { bytes: known.bytes + bytes, fields: known.fields + fields }
    if (after.fields > 0) this.#levels.set(level, after)
    else this.#levels.delete(level)
  }
}
