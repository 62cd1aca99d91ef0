import { type Mutant, mutant } from '../mutant.ts'

const recovering = 'server/src/store/level/recovering-level.ts'
const gate = 'server/src/store/level/read-gate.ts'
const tests = ['server/unwritable']

/** Mistakes that show while the disk accepts no changes [D2]. */
export const unwritableMutants: readonly Mutant[] = [
  mutant(recovering, 'await findRoom?.()\n', '', {
    id: 'closed-on-a-full-disk',
    rules: ['D2'],
    what: 'The database is closed while there is no room to open it again, so no data can be read.',
    tests,
  }),
  mutant(recovering, '      this.#probeLater()\n      throw reason', '      throw reason', {
    id: 'no-way-back',
    rules: ['D2'],
    what: 'The store never checks whether the disk has room again.',
    tests,
  }),
  mutant(recovering, '      await this.#settleUndecided()\n', '', {
    id: 'surfaced-batch-untold',
    rules: ['D2', 'D4'],
    what: 'A batch that failed but reached the disk is never reported to listeners.',
    tests,
  }),
  mutant('server/src/assemble.ts', '      documents.forgetAll()\n      log.info', '      log.info', {
    id: 'documents-older-than-the-disk',
    rules: ['D4'],
    what: 'Writes continue on documents that were read before a failed batch was noticed.',
    tests,
  }),
  mutant('server/src/accounts/account.ts', 'if (refusal && !isNothing) throw refusal', '', {
    id: 'written-on-what-was-read-before',
    rules: ['D4'],
    what: 'A change admitted while changes were refused is written when changes are accepted again.',
    tests: ['server/document-cache'],
  }),
  mutant(gate, '    while (this.#opened) await this.#opened\n', '', {
    id: 'reads-fail-while-opening',
    rules: ['D2'],
    what: 'A read fails if it begins while the database is opened again.',
    tests: ['server/full-disk'],
  }),
  mutant('server/src/socket/farewell.ts', '    this.#session.drain()\n    const close', '    const close', {
    id: 'leaving-session-writes-on',
    rules: ['V6', 'D5'],
    what: 'A session continues to write after a change of its device could not be stored.',
    tests: ['server/leaving-session'],
  }),
  mutant('server/src/socket/handle.ts', 'if (!session.isLeaving) session.say', 'session.say', {
    id: 'barrier-after-a-failed-store',
    rules: ['D2', 'D5'],
    what: 'A barrier is acknowledged after an earlier change could not be stored.',
    tests: ['server/leaving-session'],
  }),
  mutant('server/src/socket/farewell.ts', '    feed.whenCaughtUp(close)\n    context', '    close()\n    context', {
    id: 'sent-away-without-its-feed',
    rules: ['F1'],
    what: 'A device whose change cannot be stored never receives data that it may see.',
    tests,
  }),
  mutant(
    'client/src/sync/retries.ts',
    'if (!this.#isStorageFailing && !this.#isServerFailing) this',
    'if (!this.#isStorageFailing) this',
    {
      id: 'as-often-as-ever',
      rules: ['D5'],
      what: 'A device does not reduce its attempts to send changes that the server cannot store.',
      tests: ['client/unavailable'],
    },
  ),
  mutant(
    'client/src/sync/close-action.ts',
    "if (named !== 'unavailable') return { type: 'retry' }\n",
    "if (named !== undefined) return { type: 'retry' }\n",
    {
      id: 'full-disk-untold',
      rules: ['D5'],
      what: 'The app is never notified that the server cannot store changes.',
      tests: ['client/unavailable'],
      isSeenByWaiting: true,
    },
  ),
]
