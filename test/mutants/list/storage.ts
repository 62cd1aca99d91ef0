import { type Mutant, mutant } from '../mutant.ts'

const restoring = 'client/src/storage/new-database.ts'
const surviving = 'client/src/storage/survival.ts'

/** What would go wrong when the device's storage is lost, full or refused [D1–D3]. */
export const storageMutants: readonly Mutant[] = [
  mutant(restoring, 'update: Y.encodeStateAsUpdateV2(memory[document].doc)', 'update: Uint8Array.of(0, 0)', {
    id: 'documents-not-restored',
    rules: ['D1'],
    what: 'After the database was lost the device begins with empty documents.',
    tests: ['client/storage-loss'],
  }),
  mutant(restoring, 'db.outbox.bulkPut(numbered)', 'db.outbox.bulkPut([])', {
    id: 'outbox-not-restored',
    rules: ['D1', 'V6'],
    what: 'What was unsent when the database was lost counts as sent, and its order is gone.',
    tests: ['client/storage-loss'],
  }),
  mutant(restoring, 'db.outbox.bulkPut(numbered)', 'db.outbox.bulkPut(numbered.map(({ refusal: _, ...row }) => row))', {
    id: 'refused-sent-from-a-new-database',
    rules: ['D5'],
    what: 'What the server refused counts as unsent in a restored database.',
    tests: ['client/storage-loss'],
    names: '\\[D5\\]',
  }),
  mutant(restoring, 'db.outbox.bulkAdd(unnumbered)', 'db.outbox.bulkAdd([])', {
    id: 'begun-change-not-restored',
    rules: ['D1'],
    what: 'A change that was being written when storage was taken away is shown and never sent.',
    tests: ['client/storage-loss'],
    names: 'wiped',
  }),
  mutant(
    restoring,
    'const head = newHead(randomness, memory.generation + 1, first)',
    'const clientIds = { roster: memory.roster.clientId, profile: memory.profile.clientId }\n' +
      '  const head = { ...newHead(randomness, memory.generation + 1, first), clientIds }',
    {
      id: 'client-ids-outlive-the-database',
      rules: ['D1'],
      what: 'A new database goes on with the Yjs client ids of the lost one.',
      tests: ['client/storage-loss'],
      names: '\\[D1\\]',
    },
  ),
  mutant(surviving, "throw new KithError('closed', 'This device was erased')", 'await Promise.resolve()', {
    id: 'erased-comes-back',
    rules: ['D1'],
    what: 'Another tab writes again what was erased.',
    tests: ['client/tabs-loss'],
    names: 'erase',
  }),
  mutant('client/src/open.ts', 'await noteErased(storage, writer)', '', {
    id: 'erasure-not-noted',
    rules: ['D1'],
    what: 'Nothing tells the other tabs a deletion that was meant from a loss.',
    tests: ['client/tabs-loss'],
    names: 'erase',
  }),
  mutant('client/src/storage/prepare.ts', 'db.begin = undefined', '', {
    id: 'reading-makes-a-database',
    rules: ['D1'],
    what: 'Whatever is read first after a deletion makes an empty database.',
    tests: ['client/tabs-loss'],
    names: 'erase',
  }),
  mutant(surviving, 'found && found.user !== user', 'false', {
    id: 'merged-into-another-users',
    rules: ['D1'],
    what: 'What memory holds is laid over another user’s database.',
    tests: ['client/storage-loss'],
    names: 'another user',
  }),
  mutant(surviving, 'if (found) return merge(db, memory)', 'if (found) return', {
    id: 'first-tab-only',
    rules: ['D1'],
    what: 'Of several tabs only the one that makes the new database brings what it has.',
    tests: ['client/tabs-loss'],
    names: '\\[D1\\]',
  }),
  mutant(surviving, 'await there.writeSnapshots(db, there, there.generation + 1)', '', {
    id: 'merged-unseen',
    rules: ['D1'],
    what: 'Tabs do not hear that what was unsent elsewhere came among their own.',
    tests: ['client/tabs-loss'],
    names: '\\[D1\\]',
  }),
  mutant(restoring, '...numberFrom(db, first),', '', {
    id: 'numbers-begin-anew',
    rules: ['D1', 'D2'],
    what: 'A new database numbers its rows as the lost one did, and tabs take its rows for those.',
    tests: ['client/tabs-loss'],
  }),
  {
    id: 'feed-goes-on-in-a-new-database',
    rules: ['F1', 'V7'],
    what: 'A session goes on with the cursor of the lost database, whose replicas do not come again.',
    changes: [
      {
        file: 'packages/client/src/assemble.ts',
        find: 'interrupted: () => link?.restart(),',
        replace: 'interrupted: () => undefined,',
      },
      {
        file: 'packages/client/src/link/session.ts',
        find: 'return this.#writer !== undefined && this.#writer !== this.#port.store.documents.writer',
        replace: 'return false',
      },
      {
        file: 'packages/client/src/storage/frames.ts',
        find: 'if (work.documents.writer !== writer)',
        replace: 'if (writer === undefined)',
      },
    ],
    tests: ['client/storage-loss'],
    names: '\\[F1\\]',
  },
  mutant('client/src/tabs/requests.ts', "if (type === 'whenSynced') return", "if (type === 'status') return", {
    id: 'synced-because-lost',
    rules: ['D2'],
    what: 'A wait for everything to be synced ends when the database is lost.',
    tests: ['client/tabs-loss'],
    names: '\\[D2\\]',
  }),
  mutant(
    'client/src/tabs/shared-link.ts',
    "await writeMeta(this.#port.db, 'isWanted', this.#own.isWanted)",
    'await Promise.resolve()',
    {
      id: 'wish-not-restored',
      rules: ['F1'],
      what: 'After a loss and a change of tabs nobody knows that the app wants to be connected.',
      tests: ['client/tabs-loss'],
      names: '\\[F1\\]',
      isSeenByWaiting: true,
    },
  ),
  mutant('client/src/link/link.ts', 'if (!this.#isStorageFailing) this.#attempt = 0', 'this.#attempt = 0', {
    id: 'full-disk-hot-loop',
    rules: ['F1'],
    what: 'With a full disk the device connects again and again without a pause.',
    tests: ['client/storage-refused'],
    names: '\\[F1\\]',
  }),
  mutant('client/src/link/link.ts', 'if (this.#isStorageFailing) this.retryNow()', '', {
    id: 'room-not-noticed',
    rules: ['F1'],
    what: 'What the feed brings waits for the next attempt, though there is room again.',
    tests: ['client/storage-refused'],
    names: '\\[F1\\]',
    isSeenByWaiting: true,
  }),
  mutant('client/src/storage/trouble.ts', 'if (isStorage && this.#isTold) return false', '', {
    id: 'full-disk-told-for-ever',
    rules: ['F1'],
    what: 'The app is told at every attempt that the disk is full.',
    tests: ['client/storage-refused'],
    names: '\\[F1\\]',
  }),
  mutant('client/src/storage/failure.ts', "isNamed(error, ['QuotaExceededError'])", 'false', {
    id: 'full-disk-unnamed',
    rules: ['D1'],
    what: 'What a full disk refuses does not say what to do.',
    tests: ['client/storage-refused'],
    names: '\\[D5\\]',
  }),
  mutant(
    'client/src/storage/patience.ts',
    'cancel = clock.after(openingMs, () => reject(silence()))',
    'cancel = () => reject(silence())',
    {
      id: 'opening-waits-for-ever',
      rules: ['D1'],
      what: 'Storage that does not answer holds up opening for ever.',
      tests: ['client/storage-refused'],
      names: 'never answers',
      isSeenByWaiting: true,
    },
  ),
]
