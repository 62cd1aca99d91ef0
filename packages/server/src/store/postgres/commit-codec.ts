import * as decoding from 'lib0/decoding'
import * as encoding from 'lib0/encoding'
import type { CommitNotes } from '../../relations/draft.ts'
import type { Commit } from '../../relations/store.ts'

/** What nodes are told of the commits of a batch, in its order. Positions follow from the first. */
export function encodeCommits(commits: readonly CommitNotes[]): Uint8Array {
  const encoder = encoding.createEncoder()
  for (const { levels, sights: _, position: __, strangers, ...rest } of commits) {
    const lookers = strangers.map(({ viewers, ...one }) => ({ ...one, viewers: [...viewers] }))
    encoding.writeVarString(encoder, JSON.stringify({ ...rest, strangers: lookers }))
    encoding.writeVarUint(encoder, levels.size)
    for (const [level, fields] of levels) {
      encoding.writeVarUint(encoder, level)
      encoding.writeVarUint8Array(encoder, fields)
    }
  }
  return encoding.toUint8Array(encoder)
}

export function decodeCommits(bytes: Uint8Array, first: number): Commit[] {
  const decoder = decoding.createDecoder(bytes)
  const commits: Commit[] = []
  while (decoding.hasContent(decoder)) {
    const { strangers, ...rest } = JSON.parse(decoding.readVarString(decoder))
    const levels = new Map<number, Uint8Array>()
    for (let left = decoding.readVarUint(decoder); left > 0; left--) {
      const level = decoding.readVarUint(decoder)
      levels.set(level, decoding.readVarUint8Array(decoder).slice())
    }
    const lookers = (strangers as { viewers: string[] }[]).map(one => ({ ...one, viewers: new Set(one.viewers) }))
    commits.push({ ...rest, strangers: lookers, levels, position: first + commits.length } as Commit)
  }
  return commits
}
