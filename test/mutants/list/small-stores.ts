import { type Mutant, mutant } from '../mutant.ts'

const leftovers = 'server/src/store/level/check-leftovers.ts'
const lapsing = 'server/src/store/level/lapsing.ts'
const storedDocument = 'server/src/documents/stored-document.ts'

/** Mistakes that would let a store grow without limit, or hide that it does. */
export const smallStoreMutants: readonly Mutant[] = [
  mutant('server/src/relations/records.ts', 'JSON.stringify(user) === blankText ? undefined : user', 'user', {
    id: 'record-for-each-stranger',
    rules: ['D4'],
    what: 'Each id that any roster ever named has a record of 184 bytes.',
    tests: ['server/small-stores'],
  }),
  mutant(storedDocument, 'logBytes > Math.max(minLogBytes, snapshotBytes)', 'false', {
    id: 'log-never-folded',
    rules: ['D4'],
    what: 'The log of a document grows without limit, and with it the time to load the document.',
    tests: ['server/small-stores'],
  }),
  mutant(storedDocument, 'Math.max(minLogBytes, snapshotBytes)', 'minLogBytes', {
    id: 'large-document-folded-often',
    rules: ['D4'],
    what: 'A large document is written as a whole after each 32 KiB of changes.',
    tests: ['server/small-stores'],
  }),
  mutant(storedDocument, 'Math.max(minLogBytes, snapshotBytes)', 'snapshotBytes', {
    id: 'small-document-folded-often',
    rules: ['D4'],
    what: 'A small document is written as a whole at almost each change.',
    tests: ['server/small-stores'],
  }),
  mutant('server/src/relations/check/store.ts', 'isLapsed(one, lapsing.upTo, lapsing.observedMs)', 'false', {
    id: 'left-relations-unseen',
    rules: ['F1'],
    what: 'check does not report relations that should have been removed.',
    tests: ['server/days'],
    names: 'check counts',
  }),
  mutant(leftovers, '(await unnamedLookups(disk, old)).length', 'old.length', {
    id: 'needed-look-ups-counted',
    rules: ['S4'],
    what: 'check counts look-ups of users whom the roster still names as left over.',
    tests: ['server/days'],
    names: 'check counts',
  }),
  mutant('server/src/relations/check/store.ts', '[roster.parts, profile].filter(mustBeFolded)', '[]', {
    id: 'outgrown-logs-unseen',
    rules: ['D4'],
    what: 'check does not report documents whose log outgrew their snapshot.',
    tests: ['server/days'],
    names: 'check counts changes',
  }),
  mutant(leftovers, '!recorded.has(ownerOf(key))', 'true', {
    id: 'needed-revocations-counted',
    rules: ['D4'],
    what: 'check counts revocations of users with an account as left over.',
    tests: ['server/days'],
    names: 'check counts changes',
  }),
  mutant(leftovers, 'forgotten ? decodeNumber(forgotten) : 0', '0', {
    id: 'left-changes-unseen',
    rules: ['D4'],
    what: 'check does not report changes that should have been forgotten.',
    tests: ['server/days'],
    names: 'check counts changes',
  }),
  mutant(leftovers, 'Math.max(0, past - 1)', '0', {
    id: 'left-days-unseen',
    rules: ['F1'],
    what: 'check does not report days that should have been removed.',
    tests: ['server/days'],
    names: 'check counts',
  }),
  mutant(lapsing, '    await this.#removeFrom(ranges.users, blankUsers)\n', '', {
    id: 'blank-records-stay',
    rules: ['D4'],
    what: 'The records that 0.1.0 wrote of ids that are merely named stay for ever.',
    tests: ['server/days'],
    names: 'merely named',
  }),
  mutant(lapsing, 'bytes !== undefined && keptUser(decodeUser(bytes)) === undefined', 'bytes !== undefined', {
    id: 'needed-records-removed',
    rules: ['D4'],
    what: 'Once a day the records of all users are removed.',
    tests: ['server/days'],
    names: 'merely named',
  }),
  mutant(leftovers, 'users += blankUsers(page).length', 'users += 0', {
    id: 'blank-records-unseen',
    rules: ['D4'],
    what: 'check does not report records that hold nothing.',
    tests: ['server/days'],
    names: 'merely named',
  }),
  mutant('server/src/relations/check/documents.ts', 'lapsing ? longDeclined', 'lapsing && false ? longDeclined', {
    id: 'old-declined-unseen',
    rules: ['D4'],
    what: 'check does not report declined users whom a refounding would forget.',
    tests: ['server/refounded'],
    names: 'forgets that it declined',
  }),
  mutant('server/src/relations/check/store.ts', '.filter(one => !hasAccount(one))', '', {
    id: 'registered-declined-counted',
    rules: ['D4'],
    what: 'check counts declined users who are registered, and whom no refounding forgets.',
    tests: ['server/refounded'],
    names: 'forgets that it declined',
  }),
]
