import { type Mutant, mutant } from '../mutant.ts'

const tests = ['server/postgres-nodes']

/** What several nodes on one database rely on. */
export const nodesMutants: readonly Mutant[] = [
  mutant('server/src/store/postgres/batch.ts', 'if (range !== undefined) yield range', '', {
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
  mutant('server/src/store/postgres/reads.ts', 'begin isolation level repeatable read read only', 'begin read only', {
    id: 'views-and-levels-of-two-states',
    rules: ['V4'],
    what: 'What a viewer may see is read in one state, and what it sees in a later one.',
    tests,
    names: 'read in one state',
  }),
]
