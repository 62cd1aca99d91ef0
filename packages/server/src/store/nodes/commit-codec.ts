import * as decoding from 'lib0/decoding'
import * as encoding from 'lib0/encoding'
import type { Change } from '../../relations/changes.ts'
import type { Commit } from '../../relations/commit.ts'
import type { CommitNotes } from '../../relations/draft.ts'

/** Encodes what nodes receive about the commits of a batch, in its order. Positions follow from the first one. */
export function encodeCommits(commits: readonly CommitNotes[], changes: readonly Change[]): Uint8Array {
  const encoder = encoding.createEncoder()
  for (const [index, { levels, sights: _, position: __, strangers, lines, ...rest }] of commits.entries()) {
    const lookers = strangers.map(({ viewers, ...one }) => ({ ...one, viewers: [...viewers] }))
    encoding.writeVarString(
      encoder,
      JSON.stringify({
        ...rest,
        lines: [...lines],
        strangers: lookers,
        elsewhere: rest.isMissed ? undefined : elsewhereOf(changes[index] as Change),
      }),
    )
    encoding.writeVarUint(encoder, levels.size)
    for (const [level, fields] of levels) {
      encoding.writeVarUint(encoder, level)
      encoding.writeVarUint8Array(encoder, fields)
    }
  }
  return encoding.toUint8Array(encoder)
}

function elsewhereOf(change: Change): Commit['elsewhere'] {
  if (change.type === 'revoke') return { documents: [], ends: 'sessions' }
  if (change.type === 'erase') return { documents: [], ends: 'account' }
  if (change.type !== 'documents') return undefined
  return { documents: (['roster', 'profile'] as const).filter(name => change[name] !== undefined) }
}

export function decodeCommits(bytes: Uint8Array, first: number): Commit[] {
  const decoder = decoding.createDecoder(bytes)
  const commits: Commit[] = []
  while (decoding.hasContent(decoder)) {
    // A node of an older release sends no edits.
    const { strangers, lines = [], edits = [], ...rest } = JSON.parse(decoding.readVarString(decoder))
    const levels = new Map<number, Uint8Array>()
    for (let left = decoding.readVarUint(decoder); left > 0; left--) {
      const level = decoding.readVarUint(decoder)
      levels.set(level, decoding.readVarUint8Array(decoder).slice())
    }
    const lookers = (strangers as { viewers: string[] }[]).map(one => ({ ...one, viewers: new Set(one.viewers) }))
    commits.push({
      ...rest,
      lines: new Set(lines),
      strangers: lookers,
      levels,
      edits,
      position: first + commits.length,
    } as Commit)
  }
  return commits
}
