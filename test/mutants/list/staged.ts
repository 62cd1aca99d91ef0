import { type Mutant, mutant } from '../mutant.ts'

const tests = ['server/staged-changes']
const folder = 'server/src/store/level/stage'

/** Mistakes in what a change that is written in slices relies on. */
export const stagedMutants: readonly Mutant[] = [
  mutant(`${folder}/finish.ts`, 'marker && isOf(marker, key)', 'marker', {
    id: 'slices-applied-twice',
    rules: ['D2', 'D4'],
    what: 'After a crash a slice is applied that was never part of the change.',
    tests,
  }),
  mutant(`${folder}/finish.ts`, '!marker?.skipped.has(operation.key)', 'true', {
    id: 'newer-records-overwritten-at-the-start',
    rules: ['D2'],
    what: 'After a crash, the rest of a large change overwrites records that others wrote after it.',
    tests,
  }),
  mutant(`${folder}/finish.ts`, 'marker && isOf(marker, key) ? [...Slice.operationsOf(slice)] : []', '[]', {
    id: 'committed-slices-dropped',
    rules: ['D2', 'D4'],
    what: 'A crash loses the rest of a large change that was acknowledged.',
    tests,
  }),
  mutant(`${folder}/finish.ts`, 'const operations = marker && isOf', 'const operations = !marker || isOf', {
    id: 'uncommitted-slices-applied',
    rules: ['D4'],
    what: 'After a crash a part of a change is applied that was never committed.',
    tests,
  }),
  mutant(`${folder}/stage.ts`, '...slice.operationsWithout(this.#skipped),', '...slice.operationsWithout(new Set()),', {
    id: 'newer-records-overwritten',
    rules: ['D2'],
    what: 'A large change overwrites, while it is applied, records that others wrote after it.',
    tests,
  }),
  mutant(`${folder}/overlay.ts`, 'if (!marker) return () => false', 'if (!marker) return () => true', {
    id: 'read-before-it-is-committed',
    rules: ['V4', 'D2'],
    what: 'A large change is read before it is committed.',
    tests: ['server/slices-on-disk'],
  }),
  mutant(`${folder}/overlay.ts`, '!(applied.has(slice) || skipped.has(key))', '!applied.has(slice)', {
    id: 'older-record-read',
    rules: ['D2', 'V4'],
    what: 'A record that was written after a large change is read with the value of the large change.',
    tests,
  }),
  mutant(
    `${folder}/overlaid-reads.ts`,
    'return found && counts(found) ? overlay.valueOf(found) : value',
    'return value',
    {
      id: 'staged-records-not-read',
      rules: ['D2', 'V4'],
      what: 'A large change is visible to reads only when all of it is applied.',
      tests,
    },
  ),
  mutant(`${folder}/overlaid-reads.ts`, 'if (stored[index]?.[0] === key) index++', '', {
    id: 'record-read-twice',
    rules: ['D4'],
    what: 'A range that is read while a large change is applied contains the old record and the new one.',
    tests,
  }),
  mutant(`${folder}/byte-order.ts`, "Buffer.from(key, 'utf8').toString('latin1') : key", 'key : key', {
    id: 'keys-in-the-order-of-characters',
    rules: ['D4'],
    what: 'Keys beyond ASCII are sorted differently than in the database.',
    tests,
  }),
  mutant(
    `${folder}/stage.ts`,
    'this.#hasMarker ? this.#stagedAmong(operations) : []\n    if (skipped.length === 0) return []',
    'this.#stagedAmong(operations)\n    if (skipped.length === 0) return []',
    {
      id: 'marker-of-a-change-that-is-applied',
      rules: ['D4'],
      what: 'A marker of a large change stays on the disk. After a crash, it commits the next large change.',
      tests,
      names: 'leaves no marker',
    },
  ),
  mutant('server/src/store/level/group-commit.ts', 'return this.#stage.learn()', 'return Promise.resolve()', {
    id: 'marker-not-read-again',
    rules: ['D2'],
    what: 'After a batch that seemed to fail, its part of a large change is not known.',
    tests,
    names: 'that seemed to fail',
  }),
  mutant('server/src/store/level/group-commit.ts', 'else this.#memory.noteWritten(draft)', '', {
    id: 'own-records-remembered-as-they-were',
    rules: ['D4'],
    what: "The store remembers a user's record other than the one that it wrote last.",
    tests: ['server/own-memory'],
  }),
  mutant('server/src/store/level/prepared-changes.ts', 'memory.forgetWritten(draft, notes.subjects)', '', {
    id: 'large-change-not-remembered',
    rules: ['D4'],
    what: "The store remembers a user's record from before a large change.",
    tests: ['server/own-memory'],
  }),
  mutant('server/src/store/level/own-memory.ts', "if (removal.kind === 'levels') this.#forget(removal.owner)", '', {
    id: 'removed-levels-remembered',
    rules: ['D4'],
    what: 'Levels of an account that was erased are remembered as if they were stored.',
    tests: ['server/own-memory'],
  }),
  mutant(
    'server/src/store/level/own-reads.ts',
    'this.#subjects.has(id) ? this.#memory.user(id) : undefined',
    'this.#memory.user(id)',
    {
      id: 'others-in-memory-read-faster',
      rules: ['V8'],
      what: 'The duration of a change reveals whether the users that it names were recently active.',
      tests: ['server/own-memory'],
    },
  ),
  mutant('server/src/store/level/own-reads.ts', 'return !this.#isOver && this', 'return this', {
    id: 'given-up-read-kept',
    rules: ['D4'],
    what: 'Data that was read for a batch which was given up is remembered after another batch has written it.',
    tests: ['server/own-memory'],
    names: 'given up',
  }),
]
