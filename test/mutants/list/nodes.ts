import { type Mutant, mutant } from '../mutant.ts'

const tests = ['server/postgres-nodes']

/** What several nodes on one database rely on. */
export const nodesMutants: readonly Mutant[] = [
  mutant('server/src/store/nodes/write-set.ts', 'if (range !== undefined) yield range', '', {
    id: 'ranges-not-written',
    rules: ['V4', 'D4'],
    what: 'A change that read all relations of a user holds although another node wrote a new one.',
    tests,
    names: 'if the follow is written first',
  }),
  mutant(
    'server/src/store/postgres/schema.ts',
    "if has_conflict(_known, _reads) then return query select 'conflict', _head; return; end if;",
    '',
    {
      id: 'reads-not-compared',
      rules: ['D4'],
      what: 'A batch is written although another node wrote what was read for it.',
      tests,
      names: 'counts that two nodes derive',
    },
  ),
  mutant(
    'server/src/store/postgres/schema.ts',
    "if found then return query select 'written', _last; return; end if;",
    '',
    {
      id: 'batch-written-twice',
      rules: ['D2'],
      what: 'A batch whose answer was lost is sent again, and written again.',
      tests,
      names: 'whose answer was lost',
    },
  ),
  mutant(
    'server/src/store/nodes/versions.ts',
    'const isOutdated = version !== undefined && version !== stored',
    'const isOutdated = version !== undefined && version > stored',
    {
      id: 'built-on-an-older-document',
      rules: ['D4'],
      what: 'A change is written that was admitted to a document as it was before another node changed it.',
      tests,
      names: 'two nodes admit at the same time',
    },
  ),
  mutant('server/src/store/nodes/versions.ts', 'const isRevoked = revokedAt > signedInAt', 'const isRevoked = false', {
    id: 'written-by-a-revoked-session',
    rules: ['D7'],
    what: 'A session that another node has revoked writes until it is ended.',
    tests,
    names: 'another node has revoked',
  }),
  mutant(
    'server/src/store/nodes/reports.ts',
    'if (!first) return head === this.#position ? undefined : this.#fall(head)',
    'if (!first) return undefined',
    {
      id: 'ahead-of-the-database',
      rules: ['F1'],
      what: 'A node goes on although the database has lost what the node has reported.',
      tests,
      names: 'after a failover that lost commits',
      isSeenByWaiting: true,
    },
  ),
  mutant('server/src/store/postgres/reads.ts', 'begin isolation level repeatable read read only', 'begin read only', {
    id: 'views-and-levels-of-two-states',
    rules: ['V4'],
    what: 'What a viewer may see is read in one state, and what it sees in a later one.',
    tests,
    names: 'read in one state',
  }),
]
