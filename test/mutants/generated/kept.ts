import type { Generated } from './generate.ts'

/** A generated mutant that no test can notice, or need notice, and why. It is known by its line's text. */
export interface Kept {
  file: string
  /** The line on which it begins, without its indentation. */
  line: string
  /** What stands there → what it makes of that; absent: whatever is made of this line. */
  change?: string
  why: string
}

/** Survivors that were read and left. */
export const kept: readonly Kept[] = [
  {
    file: 'packages/shared/src/wire/codec.ts',
    line: "ensure(decoder.pos + length <= decoder.arr.length, 'an end before its bytes')",
    change: '+ → -',
    why: 'The same: the place is then behind the end of the frame, which is malformed for not ending there.',
  },
  {
    file: 'packages/server/src/relations/follow-budget.ts',
    line: 'if (missing <= 0) return 0',
    change: '0 → (-1)',
    why: 'The same: who asks sends no negative time, and sets no timer for one.',
  },
  {
    file: 'packages/server/src/relations/derive.ts',
    line: 'await draft.loadUsers([change.user])',
    change: 'await draft.loadUsers([change.user]) → (draft.loadUsers([change.user]))',
    why: 'The same: what comes next reads from the same disk and is waited for; it, too, loads the user or is read after.',
  },
  {
    file: 'packages/server/src/socket/session.ts',
    line: 'return outstandingBytes > 2 * limits.rosterBytes || answers.outstandingOf(this.user) > 4 * limits.rosterBytes',
    change: '> → >=',
    why: 'One byte of 16 MiB.',
  },
  {
    file: 'packages/client/src/sync/connection.ts',
    line: 'const silenceMs = 45_000',
    why: 'One millisecond more or less of a silence that is a choice.',
  },
  {
    file: 'packages/server/src/relay/feed.ts',
    line: 'entry.joinTold = position - 1',
    change: '1 → 2',
    why: 'The same: a join makes an entry, and it goes by a later commit, so no join is as old as one before this commit.',
  },
  {
    file: 'packages/server/src/presence/presence.ts',
    line: 'const mostNoted = 1_000',
    why: 'How many go into one commit shows nowhere.',
  },
  {
    file: 'packages/server/src/socket/handle.ts',
    line: 'if (session.isClosed) return',
    change: 'session.isClosed → false',
    why: 'It spares work: a session that is closed says nothing, and ends no second time.',
  },
  {
    file: 'packages/server/src/accounts/account.ts',
    line: "if (profile?.relayed) relayOwn(this.user, 'profile', profile.relayed, writer)",
    change: "'profile' → ''",
    why: 'The same: what is not called the roster is relayed as the profile.',
  },
  {
    file: 'packages/server/src/admission/size-limits.ts',
    line: 'if (isFarBelow) return undefined',
    change: 'isFarBelow → false',
    why: 'It spares work: tried on a copy, what is far below the limits is within them.',
  },
  {
    file: 'packages/server/src/admission/merging-cost.ts',
    line: 'const mostSteps = 2 ** 18',
    why: 'A bound on work, chosen by measuring: tests hold that there is one, not its last digit.',
  },
  {
    file: 'packages/client/src/database/store.ts',
    line: 'const mostLosses = 10',
    why: 'Tests hold that it ends, and that one loss is outlived; how many are is a choice.',
  },
  {
    file: 'packages/client/src/sync/sender.ts',
    line: '#isWoken = false',
    change: 'false → true',
    why: 'The same, after one more look for something to send.',
  },
  {
    file: 'packages/client/src/sync/session.ts',
    line: 'const again = cursor.length > 0 ? looked.slice(0, maxHelloOwners) : []',
    change: '0 → 1',
    why: 'The same: no cursor has one byte.',
  },
]

export function whyKept({ file, lineText, original, replacement }: Generated): string | undefined {
  const change = `${original} → ${replacement}`
  return kept.find(one => one.file === file && one.line === lineText && (one.change ?? change) === change)?.why
}
