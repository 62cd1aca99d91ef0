import { type Mutant, mutant } from '../mutant.ts'

const lostStore = ['client/lost-store']
const hostile = ['client/hostile-server']
const merging = ['server/merging-cost']

const outgoing = 'packages/client/src/link/outgoing.ts'
const outbox = 'packages/client/src/storage/outbox.ts'

/** What would make a device lose what it holds, or a server refuse what it must take back [D6]. */
export const keepingMutants: readonly Mutant[] = [
  {
    id: 'loss-unnoticed',
    rules: ['D6', 'V6'],
    what: 'A device sends its unsent changes in their order although the server lacks acknowledged ones.',
    tests: ['proof/stories'],
    names: 'a block that was lost',
    changes: [
      { file: outgoing, find: 'this.#isRefill = this.#port.isRefill()', replace: 'this.#isRefill = false' },
      { file: outbox, find: 'const isFirst = !mode.isRefill && mode.isFirst', replace: 'const isFirst = false' },
    ],
  },
  mutant(
    'client/src/storage/outbox.ts',
    "const before = shipment?.document === 'profile' ?",
    "const before = shipment?.document === 'roster' ?",
    {
      id: 'lost-removals-overtaken',
      rules: ['V6', 'D6'],
      what: 'A device sends its profile before the removals of its roster that an older backup lacks.',
      tests: ['proof/stories'],
      names: 'a revocation that was lost',
    },
  ),
  mutant('client/src/storage/lost.ts', 'merged.take(isCopied', 'void (isCopied', {
    id: 'server-state-replaces',
    rules: ['D6'],
    what: 'A device puts the state of the server in place of its own.',
    tests: lostStore,
    names: 'of thirty contacts',
  }),
  mutant(
    'client/src/storage/remade-entries.ts',
    'const lost = differences(fresh, merged, change => covered.has(keyName(change)))',
    'const lost = differences(fresh, fresh, change => covered.has(keyName(change)))',
    {
      id: 'acknowledged-content-not-remade',
      rules: ['D6'],
      what: 'After a refusal only unsent changes are made again.',
      tests: lostStore,
      names: 'of thirty contacts',
    },
  ),
  mutant(
    'client/src/storage/pieces.ts',
    'if (update.length <= maxBytes) return [update]',
    'if (maxBytes) return [update]',
    {
      id: 'answers-in-one-frame',
      rules: ['D6'],
      what: 'What the server lacks goes in one frame, whatever its size.',
      tests: lostStore,
      names: 'larger than a frame .* without',
      isSeenByWaiting: true,
    },
  ),
  mutant(
    'client/src/storage/causal-order.ts',
    'if (origin && wanted && !before.isOnTheWay',
    'if (origin && wanted && before.isOnTheWay',
    {
      id: 'pieces-out-of-order',
      rules: ['D6'],
      what: 'A piece builds on what comes later.',
      tests: merging,
      names: 'histories of devices',
    },
  ),
  mutant(
    'client/src/storage/pieces.ts',
    '[clock, Math.min(end, from), outside]',
    '[clock, Math.min(end, from), inside]',
    {
      id: 'removals-left-out-of-pieces',
      rules: ['D6', 'D3'],
      what: 'What a device has removed of what the server holds is left out of the pieces.',
      tests: merging,
      names: 'what it removes of other updates',
    },
  ),
  mutant(
    'client/src/storage/rebuild.ts',
    'await work.db.outbox.add({ ...row, update: new Uint8Array(), changes: encodeChanges(kept), ...refusal })',
    '',
    {
      id: 'refused-changes-dropped',
      rules: ['D6', 'D5'],
      what: 'A change that a server refuses leaves the device.',
      tests: ['proof/stories'],
      names: 'takes smaller',
    },
  ),
  mutant(
    'client/src/storage/own-documents.ts',
    'this[name].setRefused(own.flatMap(row => decodeChanges(row.changes)))',
    'this[name].setRefused([])',
    {
      id: 'refused-changes-hidden',
      rules: ['D6', 'D5'],
      what: 'The app no longer sees a change that a server refuses.',
      tests: ['proof/stories'],
      names: 'takes smaller',
    },
  ),
  {
    id: 'synced-though-refused',
    rules: ['D6'],
    what: 'The app hears that all is synced although the server refuses some of its changes.',
    tests: ['proof/stories'],
    names: 'takes smaller',
    changes: [
      {
        file: 'packages/client/src/link/session.ts',
        find: "this.isSynced && this.#port.store.unsent === 0 ? 'synced'",
        replace: "this.isSynced ? 'synced'",
      },
      {
        file: 'packages/client/src/kith.ts',
        find: "return this.#linkStatus === 'synced' && this.unsent > 0 ? 'syncing' : this.#linkStatus",
        replace: 'return this.#linkStatus',
      },
    ],
  },
  mutant('client/src/storage/edit.ts', 'return isBack || sameValue', 'return sameValue', {
    id: 'refused-and-revoked-comes-back',
    rules: ['D6', 'V6'],
    what: 'A refused grant is offered again although another device has revoked the original since.',
    tests: ['proof/stories'],
    names: 'is not granted again',
  }),
  mutant('client/src/storage/outbox.ts', '[...unsent, replaced]', 'unsent', {
    id: 'replaced-removed-ahead',
    rules: ['R2', 'D6'],
    what: 'An entry that two devices added is gone from the server until the second one has sent its own.',
    tests: ['proof/stories'],
    names: 'added apart',
  }),
  mutant('client/src/storage/frames.ts', 'if (again.length > 0) await record(work, name, again)', '', {
    id: 'originals-brought-back',
    rules: ['D6', 'V6'],
    what: 'What a device revoked after it made it again is granted again when another device brings the original.',
    tests: ['client/brought-back'],
  }),
  mutant('client/src/storage/said-again.ts', 'known.set(client, Math.max(', 'known.set(client, 0 * Math.max(', {
    id: 'originals-forgotten',
    rules: ['D6'],
    what: 'A device that builds a document upon the state of a server forgets what it knew before.',
    tests: ['client/brought-back'],
  }),
  mutant('client/src/storage/rebuild.ts', 'if (reported === code) continue', '', {
    id: 'refusal-reported-again',
    rules: ['D6', 'D5'],
    what: 'The app hears of a refused change each time that it is offered.',
    tests: ['client/kept-whole'],
    names: 'offered again',
  }),
  mutant('client/src/storage/frames.ts', 'if (isFresh || isOther) await', 'if (isFresh) await', {
    id: 'raised-limits-unused',
    rules: ['D6'],
    what: 'A refused change is not offered when the limits of the server are raised.',
    tests: ['client/kept-whole'],
    names: 'offered again',
  }),
  mutant('client/src/storage/own-document.ts', 'this.doc.store.pendingStructs = null', '', {
    id: 'gaps-kept',
    rules: ['D6', 'S1'],
    what: 'A device keeps changes with gaps, and sends them on for ever.',
    tests: hostile,
    names: 'a state with gaps',
    isSeenByWaiting: true,
  }),
  mutant('client/src/link/link.ts', 'else this.#isServerFailing = true', 'else this.#isServerFailing = false', {
    id: 'garbled-server-asked-at-once',
    rules: ['D6'],
    what: 'A server that sends no document is asked again and again without a pause.',
    tests: hostile,
    names: 'bytes that are no update',
  }),
  mutant('client/src/link/outgoing.ts', 'if (slower > 0) await', 'if (slower < 0) await', {
    id: 'refusing-server-asked-at-once',
    rules: ['D6'],
    what: 'A server that refuses everything is sent the next change without a pause.',
    tests: hostile,
    names: 'refuses everything as malformed',
  }),
  mutant(
    'client/src/storage/remade-entries.ts',
    'const half = Math.ceil(units.length / 2)',
    'const half = units.length',
    {
      id: 'refused-entry-never-halved',
      rules: ['D6'],
      what: 'An entry of many changes that is refused is sent again as it was.',
      tests: hostile,
      names: 'of sixty labels',
    },
  ),
  mutant(
    'client/src/nonce.ts',
    'return uint32(randomness) % firstOrdinaryClientId || 1',
    'return newClientId(randomness)',
    {
      id: 'remade-beats-the-original',
      rules: ['D6', 'R4'],
      what: 'Content made again can win over its original, and over the removal of that.',
      tests: ['client/remade'],
    },
  ),
  mutant('server/src/admission/key-history.ts', 'return steps + scanned', 'return 0', {
    id: 'merging-costs-nothing',
    rules: ['S1'],
    what: 'The server takes any number of concurrent changes of one key.',
    tests: ['server/admission'],
    names: 'a million concurrent values',
  }),
  mutant(
    'server/src/admission/key-history.ts',
    'if (other.client >= item.client) break',
    'if (other.client < 0) break',
    {
      id: 'merging-cost-overrated',
      rules: ['D6', 'S1'],
      what: 'Honest histories count as if devices had changed everything at the same moment.',
      tests: merging,
      names: '2 devices wrote apart',
    },
  ),
  mutant('server/src/admission/roster-growth.ts', '(old === undefined ? 0 : rosterEntryBytes(root, key, old))', '0', {
    id: 'replaced-entries-count-twice',
    rules: ['D6', 'S3'],
    what: 'A full roster takes no label of the same length in place of another.',
    tests: ['server/size-limits'],
    names: 'a full roster',
  }),
]
