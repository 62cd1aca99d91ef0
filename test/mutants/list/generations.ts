import { type Mutant, mutant } from '../mutant.ts'

const rebase = 'client/src/database/rebase.ts'
const outbox = 'client/src/database/outbox.ts'

/** What a document that is refounded owes its devices. */
export const generationMutants: readonly Mutant[] = [
  mutant('client/src/sync/sender.ts', 'if (this.#isOfOther(name)) await', 'if (false) await', {
    id: 'no-rebase',
    rules: ['D5', 'R1'],
    what: 'A device with unsent edits sends them upon the generation that has ended, and is closed for it again and again.',
    tests: ['client/refounded'],
    names: 'away through two generations',
    isSeenByWaiting: true,
  }),
  mutant('server/src/documents/founding.ts', "root !== 'declined')", "root !== 'declined' && root !== 'blocks')", {
    id: 'founded-without-blocks',
    rules: ['R4', 'R1'],
    what: 'A refounding ends all blocks.',
    tests: ['server/refounded'],
    names: 'each of its roots',
  }),
  mutant(rebase, '|| !wasTaken(row, had)', '|| true', {
    id: 'stored-change-made-again',
    rules: ['R4', 'V7'],
    what: 'A grant whose acknowledgement was lost comes back after another device has revoked it.',
    tests: ['client/refounded'],
  }),
  mutant(rebase, 'removed.has(name) &&', 'false &&', {
    id: 'remembered-removal-undone-by-a-founding',
    rules: ['D6'],
    what: 'What a device removed, and built its roster without, comes back with a roster that was refounded.',
    tests: ['simulation/stories'],
    names: 'a removal that a server refused',
  }),
  mutant(outbox, 'if (isFilled) await note', 'if (false) await note', {
    id: 'doubtful-removal-forgotten',
    rules: ['D6', 'V6'],
    what: 'A removal that only an empty server has acknowledged is not made again upon a roster that was refounded twice.',
    tests: ['client/refounded'],
    names: 'only a server without the roster',
  }),
  mutant(outbox, 'const settles = isAnswer && !isFilled', 'const settles = false', {
    id: 'doubtful-for-ever',
    rules: ['R6'],
    what: 'What another device set again is removed by a device that had removed it when it filled the server.',
    tests: ['client/refounded'],
    names: 'right after it filled a server',
  }),
  mutant(rebase, '&& !seen.has(name, standing)', '&& false', {
    id: 'unset-beats-a-concurrent-set',
    rules: ['R6'],
    what: 'An unset that is made again removes what another device had set meanwhile.',
    tests: ['client/refounded'],
  }),
  mutant(rebase, 'deleted || id.clock < endOf(id.client) ||', 'deleted || id.clock < Infinity ||', {
    id: 'lost-before-the-founding',
    rules: ['D6'],
    what: 'What a server lost before it refounded a document is not made again.',
    tests: ['client/refounded'],
  }),
  mutant(rebase, 'deleted || id.clock < endOf(id.client) ||', 'deleted || id.clock < 0 ||', {
    id: 'removed-comes-back',
    rules: ['R1', 'R4'],
    what: 'What the generation before had removed is made again by a device that was away.',
    tests: ['client/refounded'],
  }),
  mutant(rebase, 'const isLost = hasSeenAll &&', 'const isLost = false &&', {
    id: 'lost-removal-forgotten',
    rules: ['D6'],
    what: 'A removal that a server lost before it refounded a roster is not made again.',
    tests: ['simulation/stories'],
    names: 'a removal that a server acknowledged and forgot',
  }),
  mutant(rebase, 'const isLost = hasSeenAll && ', 'const isLost = ', {
    id: 'set-again-taken-for-a-lost-removal',
    rules: ['R6'],
    what: 'What another device set again before a founding is removed by a device that had removed it and was away.',
    tests: ['client/refounded'],
    names: 'sets again before',
  }),
  mutant('server/src/socket/handle.ts', '!mayAsk && (await', 'false && (await', {
    id: 'old-generation-taken-for-new',
    rules: ['R1'],
    what: 'A stock provider with an old document gets the new one, and both are merged.',
    tests: ['server/refounded'],
  }),
  mutant('server/src/relay/relay.ts', 'founder > 0 && known !== undefined && known !== founder', 'false', {
    id: 'changes-of-another-generation-relayed',
    rules: ['D6'],
    what: 'A device merges what another device wrote in another generation of its document.',
    tests: ['server/refounded'],
    names: 'told of no generation',
  }),
  mutant('server/src/documents/merge.ts', 'if (isOfEarlier(document.doc, update)) {', 'if (false) {', {
    id: 'update-of-an-old-generation-merged',
    rules: ['R1'],
    what: 'An update of a generation that has ended is merged.',
    tests: ['server/refounded'],
  }),
  mutant(
    'server/src/accounts/refounding.ts',
    'registers: false, buildsOn: { [name]: version } }',
    'registers: false }',
    {
      id: 'founded-on-what-another-node-has-changed',
      rules: ['R1', 'D2'],
      what: 'A node refounds a roster without what another node has written since it read it.',
      tests: ['server/postgres-nodes'],
      names: 'refounds a roster with',
    },
  ),
  mutant(
    'server/src/accounts/admit-writes.ts',
    'if (known !== undefined && known !== (await',
    'if (false && known !== (await',
    {
      id: 'written-upon-another-generation',
      rules: ['R1'],
      what: 'What a device writes for a generation that has ended is written upon the next one.',
      tests: ['server/refounded'],
    },
  ),
  mutant('server/src/accounts/profile-edits.ts', '!(outcome instanceof Refounded) ||', 'true ||', {
    id: 'backend-edit-lost-to-a-refounding',
    rules: ['R6'],
    what: "A backend's edit of a profile fails because the profile was refounded meanwhile.",
    tests: ['server/refounded'],
    names: 'an edit by the backend',
  }),
  mutant('server/src/documents/documents.ts', 'records[index]?.registeredAt === 0', 'true', {
    id: 'registered-lapses',
    rules: ['D4'],
    what: 'A refounding forgets that a roster declined a user who is registered.',
    tests: ['server/refounded'],
    names: 'forgets that it declined',
  }),
  mutant('server/src/documents/declined.ts', 'filter(user => !met.has(user))', 'filter(user => user !== undefined)', {
    id: 'named-lapses',
    rules: ['D4'],
    what: 'A refounding forgets that a roster declined a user whom it names elsewhere.',
    tests: ['server/refounded'],
    names: 'forgets that it declined',
  }),
  mutant('server/src/documents/declined.ts', 'today - since >= daysKept', 'false', {
    id: 'declined-never-lapses',
    rules: ['D4'],
    what: 'The users whom a roster declined grow for ever.',
    tests: ['server/refounded'],
    names: 'forgets that it declined',
  }),
]
