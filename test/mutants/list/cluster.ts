import { type Mutant, mutant } from '../mutant.ts'

const tests = ['simulation/cluster-stories']

/**
 * Mistakes in what several nodes on one database rely on, whatever the database is. Histories on several nodes found most of
 * them.
 */
export const clusterMutants: readonly Mutant[] = [
  mutant('server/src/store/nodes/write-set.ts', 'if (range !== undefined) yield range', '', {
    id: 'cluster-ranges-not-written',
    rules: ['V4', 'D4'],
    what: 'A change that read all relations of a user is committed although another node wrote a new relation.',
    tests,
  }),
  mutant('server/src/accounts/backend-edits.ts', 'this.#store.losses !== this.#losses', 'false', {
    id: 'backend-client-used-again-after-a-loss',
    rules: ['R6'],
    what: 'After the database lost history, the backend writes again under a client id and clocks that a device may have.',
    tests: ['server/backend-edits'],
  }),
  mutant(
    'server/src/relay/current-reads.ts',
    'if (!this.#isAnnounced && at === this.#reported()) {',
    'if (!this.#isAnnounced) {',
    {
      id: 'cluster-hands-over-ahead',
      rules: ['V4', 'V6'],
      what: 'Data that was read ahead of the reported position is handed over before changes in between are withdrawn.',
      tests: ['server/current-reads'],
    },
  ),
  mutant(
    'server/src/store/nodes/batch-writer.ts',
    '() => database.write(batch),',
    '(sent => () => database.write(sent++ === 0 ? batch : { ...batch, id: randomUUID() }))(0),',
    {
      id: 'cluster-batch-sent-as-another',
      rules: ['D2'],
      what: 'A batch whose answer was lost is sent again under another name.',
      tests,
    },
  ),
  mutant(
    'server/src/store/nodes/reports.ts',
    'if (reach !== undefined && reach >= this.#position) {',
    'if (reach !== undefined) {',
    {
      id: 'cluster-goes-on-ahead',
      rules: ['F1'],
      what: 'A node continues in a run of the database that lacks changes which the node has reported.',
      tests,
    },
  ),
  mutant(
    'server/src/store/nodes/versions.ts',
    'const isOutdated = version !== undefined && version !== stored',
    'const isOutdated = false',
    {
      id: 'cluster-built-on-any-document',
      rules: ['D4'],
      what: 'A change is written that was admitted to an old version of a document, before another node changed it.',
      tests,
    },
  ),
  mutant('server/src/store/nodes/versions.ts', 'const isRevoked = revokedAt > signedInAt', 'const isRevoked = false', {
    id: 'cluster-revoked-session-writes',
    rules: ['D7'],
    what: 'A session that another node has revoked continues to write until it is closed.',
    tests: ['server/node-commits'],
  }),
  mutant('server/src/accounts/account.ts', 'if (takesAway(commit)) await store.whenEverywhere(commit.position)', '', {
    id: 'cluster-answered-before-others-know',
    rules: ['V4'],
    what: 'A block is acknowledged while another node still shows the profile.',
    tests: ['server/postgres-leases'],
    names: 'a block is answered only when',
  }),
  mutant('server/src/store/nodes/node-lease.ts', 'return this.#elapsedMs() < leaseMs', 'return true', {
    id: 'cluster-hands-over-without-lease',
    rules: ['V4'],
    what: 'A node that was suspended hands over data that it had read, although another node has acknowledged a block meanwhile.',
    tests: ['server/node-lease', 'server/postgres-leases'],
  }),
  mutant(
    'server/src/accounts/account.ts',
    'if (!documents.isOutdated(this.user, name)) return answer(found)',
    'return answer(found)',
    {
      id: 'cluster-answers-less-than-it-relayed',
      rules: ['R1'],
      what: 'A device that received a relayed change is then answered with a state without this change.',
      tests,
    },
  ),
  mutant('server/src/documents/documents.ts', 'if (reading) reading.isOutdated = true', '', {
    id: 'cluster-keeps-what-was-read-too-early',
    rules: ['R1'],
    what: 'A document that another node changes while it is read is kept in its old version.',
    tests: ['server/document-cache'],
  }),
  mutant(
    'client/src/sync/session.ts',
    "if (frames.some(({ type }) => type === 'rosterSync')) this.#outgoing.wake()",
    '',
    {
      id: 'let-in-again-unnoticed',
      rules: ['F1'],
      what: 'A device drops a user whom another device lets in again, and does not request that user again.',
      tests: ['client/dropped'],
      names: 'whom another device lets in again',
    },
  ),
  mutant(
    'server/src/accounts/elsewhere.ts',
    "if (ends === 'account' || documents.length > 0) this.#port.documents.noteOutdated(user)",
    '',
    {
      id: 'cluster-documents-stay',
      rules: ['R1'],
      what: 'A node continues with documents that another node has changed.',
      tests,
    },
  ),
  mutant('server/src/store/nodes/node-store.ts', 'await reports.reached(at)\n', '', {
    id: 'cluster-cursor-of-the-future',
    rules: ['F1'],
    what: 'A device that comes from another node is not recognised, since this node has not reported that far.',
    tests,
  }),
  mutant(
    'server/src/accounts/elsewhere.ts',
    'if (!isNewest || part.length > mostConverted)',
    'if (part.length > mostConverted)',
    {
      id: 'cluster-relays-what-is-overwritten',
      rules: ['V5'],
      what: 'A value that was overwritten before a node relayed it is still relayed.',
      tests: ['server/changed-elsewhere'],
    },
  ),
  mutant('server/src/accounts/elsewhere.ts', 'parts.length === 1 && version >=', 'version >=', {
    id: 'cluster-relays-the-first-of-several',
    rules: ['V5'],
    what: 'If several changes are read together, the first one is relayed as it was written.',
    tests: ['server/changed-elsewhere'],
  }),
  mutant('server/src/socket/session.ts', 'if (this.#answered.has(document)) this', 'this', {
    id: 'relayed-before-the-answer',
    rules: ['D6'],
    what: 'A change is relayed to a device before the answer to its step 1 has brought the changes on which it is based.',
    tests: ['simulation/stories'],
    names: 'two devices made again',
  }),
  mutant('server/src/relay/relay.ts', 'this.reads.lost()\n', '', {
    id: 'cluster-waits-through-a-lost-history',
    rules: ['V4'],
    what: 'Data that was read in a lost history is handed over when another history reaches the same position.',
    tests: ['server/current-reads'],
    names: 'the relay makes its reads again',
  }),
  mutant('server/src/relay/current-reads.ts', 'if (losses === this.#losses && (await', 'if ((await', {
    id: 'cluster-read-before-the-loss',
    rules: ['V4'],
    what: 'A read that is in progress when the history is lost is handed over at the same position of another history.',
    tests: ['server/current-reads'],
    names: 'what is being read in it',
  }),
  mutant('server/src/relay/current-reads.ts', 'for (const { settle } of this.#early.splice(0)) settle(false)', '', {
    id: 'cluster-waits-for-the-same-position',
    rules: ['V4'],
    what: 'Data that waits for a position of a lost history is handed over at that position of another history.',
    tests: ['server/current-reads'],
    names: 'waits for its position',
  }),
  mutant('server/src/http/users.ts', 'await store.whenEverywhere(position)', '', {
    id: 'cluster-revocation-answered-before-others-know',
    rules: ['V4'],
    what: 'A revocation is acknowledged while sessions with the revoked token continue at another node.',
    tests,
    names: 'a revocation is not answered',
  }),
  mutant('server/src/accounts/elsewhere.ts', 'if (ends) this.#port.endSessions(user)', '', {
    id: 'cluster-sessions-go-on-elsewhere',
    rules: ['V4'],
    what: 'A node does not end sessions whose tokens another node has revoked.',
    tests,
    names: 'a session whose token was revoked',
  }),
  mutant(
    'server/src/store/nodes/reports.ts',
    'first ? first.first !== this.#position + 1 : head',
    'first ? false : head',
    {
      id: 'cluster-gap-unnoticed',
      rules: ['F1', 'V7'],
      what: 'A node that was suspended while the log was trimmed continues after the gap.',
      tests,
      names: 'a node that stood still until',
    },
  ),
]
