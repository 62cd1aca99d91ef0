import type { Change } from '../../relations/changes.ts'
import { OutdatedDocument, RevokedSession } from '../../relations/outdated.ts'
import { names } from '../../relations/record-names.ts'
import type { RecordedReads } from '../../relations/recorded-reads.ts'
import type { BatchRecords, Versioned } from './shared-database.ts'

interface Waiting {
  change: Change
  reject: (error: unknown) => void
}

/** A document on which a change may build, and whose user's revocations the change depends on. */
interface Wanted<Entry> extends Versioned {
  entry: Entry
  /** Absent if the change does not build on this document. */
  version: number | undefined
  signedInAt: number
}

function* wantedOf<Entry extends Waiting>(group: readonly Entry[]): Iterable<Wanted<Entry>> {
  for (const entry of group) {
    const { change } = entry
    if (change.type !== 'documents') continue
    const { user, buildsOn = {}, signedInAt = Number.POSITIVE_INFINITY } = change
    for (const document of ['roster', 'profile'] as const) {
      yield { entry, user, document, version: buildsOn[document], signedInAt }
    }
  }
}

/**
 * Returns the changes that build on the present documents and come from sessions with valid tokens. The others are rejected,
 * because they are based on outdated data. The compared records are added to the read set.
 */
export async function current<Entry extends Waiting>(
  group: readonly Entry[],
  records: BatchRecords,
  { read }: RecordedReads,
): Promise<readonly Entry[]> {
  const wanted = [...wantedOf(group)]
  for (const { user, document } of wanted) {
    read.add(names.document(user, document))
    read.add(names.revocation(user))
  }
  const rejected = new Set<Entry>()
  const found = await records.versions(wanted)
  for (const [index, { entry, user, version, signedInAt }] of wanted.entries()) {
    const { version: stored, revokedAt } = found[index] as { version: number; revokedAt: number }
    const isRevoked = revokedAt > signedInAt
    const isOutdated = version !== undefined && version !== stored
    if ((!isRevoked && !isOutdated) || rejected.has(entry)) continue
    rejected.add(entry)
    entry.reject(isRevoked ? new RevokedSession(user) : new OutdatedDocument(user))
  }
  return rejected.size === 0 ? group : group.filter(entry => !rejected.has(entry))
}
