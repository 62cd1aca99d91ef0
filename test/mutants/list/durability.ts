import { type Mutant, mutant } from '../mutant.ts'

/** What would lose a change, answer too early, or let what is derived differ from its cause [D1–D5]. */
export const durabilityMutants: readonly Mutant[] = [
  mutant('client/src/storage/own-documents.ts', 'if (update) await this.#append(db, name, update)', '', {
    id: 'changes-in-memory-only',
    rules: ['D1'],
    what: 'A change is made in memory, put into the outbox and not stored.',
    tests: ['client/offline'],
    names: '\\[D1\\]',
  }),
  mutant(
    'client/src/storage/database.ts',
    "chromeTransactionDurability: 'strict'",
    "chromeTransactionDurability: 'relaxed'",
    {
      id: 'relaxed-durability',
      rules: ['D1'],
      what: 'A saved change may still lie in a buffer of the operating system.',
      tests: ['client/storage'],
    },
  ),
  mutant(
    'client/src/storage/edit.ts',
    'await store.work(async work => {\n    const { view',
    'void store.work(async work => {\n    const { view',
    {
      id: 'save-before-the-disk',
      rules: ['D1', 'D5'],
      what: 'Saving resolves before anything is written, and cannot fail.',
      tests: ['client/offline', 'client/storage'],
      names: '\\[D1\\]|\\[D5\\]',
    },
  ),
  mutant(
    'server/src/store/level-store.ts',
    'database.batch(operations, { sync: true } as object)',
    'database.batch(operations)',
    {
      id: 'batch-not-synced',
      rules: ['D2'],
      what: 'A commit is answered before it is on disk.',
      tests: ['server/one-batch'],
    },
  ),
  mutant(
    'server/src/accounts/account.ts',
    "await store.commit({ type: 'documents', user: this.user, registers, ...changes })",
    "const commit = store.commit({ type: 'documents', user: this.user, registers, ...changes })",
    {
      id: 'relayed-before-the-disk',
      rules: ['D2'],
      what: 'An update goes to the own devices, and barriers are answered, while it is being written.',
      tests: ['server/durability'],
      names: '\\[D2\\]',
    },
  ),
  {
    id: 'followers-told-before-the-disk',
    rules: ['D2'],
    what: 'Followers are handed a change before it is on disk.',
    changes: [
      {
        file: 'packages/server/src/store/level-store.ts',
        find: '      await database.batch(operations, { sync: true } as object)\n    } catch (error) {',
        replace: '      void database.batch(operations, { sync: true } as object)\n    } catch (error) {',
      },
    ],
    tests: ['server/durability'],
    names: '\\[D2\\]',
  },
  mutant(
    'server/src/socket/handle.ts',
    '  session.context.accounts.of(session.user).task(\n    () => {\n      const isComplete',
    '  const now = { task: (work: () => void, _fail: unknown) => work() }\n  now.task(\n    () => {\n      const isComplete',
    {
      id: 'barrier-out-of-turn',
      rules: ['D2', 'D3'],
      what: 'A barrier is answered at once, and not in its turn.',
      tests: ['server/durability'],
      names: '\\[D2\\]|\\[D3\\]',
    },
  ),
  mutant('server/src/store/level-store.ts', 'if (await isWrittenAllTheSame(last)) return', '', {
    id: 'written-but-denied',
    rules: ['D2'],
    what: 'A write that failed after it reached the disk is called lost.',
    tests: ['server/full-disk'],
  }),
  mutant(
    'server/src/accounts/account.ts',
    'if (roster?.applied) relayOwn',
    'if (roster?.applied?.relayed.length === -1) relayOwn',
    {
      id: 'own-devices-not-told',
      rules: ['R2'],
      what: 'A roster change does not reach the other devices that are connected.',
      tests: ['client/online'],
      names: '\\[R2\\]',
    },
  ),
  mutant(
    'client/src/storage/edit.ts',
    'await work.db.outbox.add({ document, update, changes: encodeChanges(changes) })',
    'if (changes.some(({ value }) => value !== undefined))\n    await work.db.outbox.add({ document, update, changes: encodeChanges(changes) })',
    {
      id: 'removals-not-sent',
      rules: ['D3'],
      what: 'What only removes is no change that is to be sent.',
      tests: ['client/offline'],
      names: '\\[D3\\]',
    },
  ),
  mutant(
    'server/src/accounts/account.ts',
    '          apply(update)\n',
    "          if (admission.adds !== 'nothing') apply(update)\n",
    {
      id: 'removals-not-taken',
      rules: ['D3'],
      what: 'The server answers a barrier after removals that it did not write.',
      tests: ['server/visibility-feed'],
      names: '\\[V5\\] a late joiner',
    },
  ),
  mutant('server/src/store/derive/showing.ts', 'draft.setUser(viewer, { relationsChangedAt: notes.position })', '', {
    id: 'position-of-relations-forgotten',
    rules: ['D4'],
    what: 'It is not kept when the relations of a viewer last changed.',
    tests: ['server/derived-state'],
  }),
  mutant('server/src/store/derive/roster.ts', 'draft.setRelation(other, user, { theirs: facts })', '', {
    id: 'other-side-forgotten',
    rules: ['D4', 'V1'],
    what: 'What a roster says of somebody does not reach their side of the relation.',
    tests: ['server/store'],
    names: '\\[D4\\]',
  }),
  {
    id: 'derived-in-a-batch-of-its-own',
    rules: ['D4'],
    what: 'The document is written first, and what follows from it in a second batch.',
    tests: ['server/one-batch'],
    changes: [
      {
        file: 'packages/server/src/store/level-store.ts',
        find: '      await database.batch(operations, { sync: true } as object)\n    } catch (error) {',
        replace:
          "      const isDocument = ({ key }: Operation): boolean => key.startsWith('document')\n      await database.batch(operations.filter(isDocument), { sync: true } as object)\n      await database.batch(operations.filter(one => !isDocument(one)), { sync: true } as object)\n    } catch (error) {",
      },
    ],
  },
  mutant(
    'client/src/storage/edit.ts',
    'checkLimits(document, standing, changes, limits, limit => work.documents.rosterBytes(limit))',
    '',
    {
      id: 'limits-not-checked-on-the-device',
      rules: ['D5', 'S3'],
      what: 'A device makes changes that the server will refuse.',
      tests: ['client/offline'],
      names: '\\[D5\\]',
    },
  ),
  mutant('client/src/contact-profile.ts', 'this.#staged = { ...staged, ...this.#staged }', '', {
    id: 'staged-settings-lost',
    rules: ['D5'],
    what: 'What was staged is gone once saving was refused.',
    tests: ['client/offline'],
    names: '\\[D5\\]',
  }),
  mutant('client/src/storage/rebuild.ts', 'return [...first, ...rest]', 'return [...rest, ...first]', {
    id: 'narrowing-last',
    rules: ['D5'],
    what: 'When changes are made anew, those that take something away come last.',
    names: 'when changes are made anew',
    tests: ['client/refusal'],
  }),
  mutant(
    'client/src/link/outgoing.ts',
    'const isComplete = await this.#port.raiseBarrier()',
    'const isComplete = true\n    void this.#port.raiseBarrier()',
    {
      id: 'sent-counts-as-written',
      rules: ['D5', 'D2'],
      what: 'A device forgets what it sent before the server has answered for it.',
      tests: ['client/refusal'],
      names: 'a refused change stays',
    },
  ),
]
