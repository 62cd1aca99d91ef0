import { type Mutant, mutant } from '../mutant.ts'

const lostStore = ['client/lost-store']
const hostile = ['client/hostile-server']
const merging = ['server/merging-cost']

const outgoing = 'packages/client/src/sync/sender.ts'
const outbox = 'packages/client/src/database/outbox.ts'

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
    'client/src/database/outbox.ts',
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
  mutant('client/src/documents/lost.ts', 'merged.take(isCopied', 'void (isCopied', {
    id: 'server-state-replaces',
    rules: ['D6'],
    what: 'A device puts the state of the server in place of its own.',
    tests: lostStore,
    names: 'of thirty contacts',
  }),
  mutant(
    'client/src/database/remade-entries.ts',
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
    'client/src/documents/pieces.ts',
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
    'client/src/documents/causal-order.ts',
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
    'client/src/documents/pieces.ts',
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
    'client/src/documents/replaced.ts',
    'if (!there || !isBrought(there.id)) return false',
    'if (there !== null) return false',
    {
      id: 'replaced-entries-removed-first',
      rules: ['R2', 'D6'],
      what: 'The deletion of an entry that lost to a concurrent entry goes ahead: the key is absent on the server in between.',
      tests: ['client/replaced'],
      names: 'unsent entry of the same key',
    },
  ),
  mutant('client/src/documents/replaced.ts', '!isUnsent(there.id) || wasUnknownTo(there, item)', 'there !== null', {
    id: 'regrant-hides-a-revocation',
    rules: ['V6'],
    what: 'A revocation that the server lost waits for the new grant behind it: edits made in between become visible.',
    tests: ['client/replaced'],
    names: 'still unsent, goes ahead',
  }),
  mutant(
    'client/src/database/rebuild.ts',
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
    'client/src/database/rebuild.ts',
    'if (code !== undefined) refused.set(code, kept)',
    "if (code !== undefined && unit[0]?.root !== 'privacy') refused.set(code, kept)",
    {
      id: 'refused-audience-dropped',
      rules: ['R4', 'D6'],
      what: 'An audience that a server refuses leaves the device, which goes back to a wider one.',
      tests: ['proof/stories'],
      names: 'audience of nobody',
    },
  ),
  mutant(
    'client/src/database/rebuild.ts',
    'const kept = isRemade ? changes.filter(change => !hidden.has(keyName(change))) : changes',
    'const kept = changes',
    {
      id: 'refused-change-covered',
      rules: ['D5', 'D6'],
      what: 'What a device makes again and a server refuses lies over a refused change that came after it.',
      tests: ['proof/stories'],
      names: 'a refused',
    },
  ),
  mutant(
    'client/src/documents/said-again.ts',
    'isRemakingClientId(id.client) || refused.has(keyName({ root, key }))',
    'isRemakingClientId(id.client)',
    {
      id: 'covered-taken-for-original',
      rules: ['D5', 'D6'],
      what: 'What a refused change replaced counts as its original, and the change is dropped when that comes back.',
      tests: ['proof/stories'],
      names: 'a refused',
    },
  ),
  mutant(
    'client/src/database/own-documents.ts',
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
        file: 'packages/client/src/sync/session.ts',
        find: "this.isSynced && this.#port.store.unsent === 0 ? 'synced'",
        replace: "this.isSynced ? 'synced'",
      },
      {
        file: 'packages/client/src/api/shown.ts',
        find: "return this.#linkStatus === 'synced' && this.store.unsent > 0 ? 'syncing' : this.#linkStatus",
        replace: 'return this.#linkStatus',
      },
    ],
  },
  mutant('client/src/database/edit.ts', 'return isBack || sameValue', 'return sameValue', {
    id: 'refused-and-revoked-comes-back',
    rules: ['D6', 'V6'],
    what: 'A refused grant is offered again although another device has revoked the original since.',
    tests: ['proof/stories'],
    names: 'is not granted again',
  }),
  mutant('client/src/database/incoming-frames.ts', 'if (again.length > 0) await record(work, name, again)', '', {
    id: 'originals-brought-back',
    rules: ['D6', 'V6'],
    what: 'What a device revoked after it made it again is granted again when another device brings the original.',
    tests: ['client/brought-back'],
  }),
  mutant('client/src/documents/said-again.ts', 'known.set(client, Math.max(', 'known.set(client, 0 * Math.max(', {
    id: 'originals-forgotten',
    rules: ['D6'],
    what: 'A device that builds a document upon the state of a server forgets what it knew before.',
    tests: ['client/brought-back'],
  }),
  mutant('client/src/database/rebuild.ts', 'if (reported === code) continue', '', {
    id: 'refusal-reported-again',
    rules: ['D6', 'D5'],
    what: 'The app hears of a refused change each time that it is offered.',
    tests: ['client/kept-whole'],
    names: 'offered again',
  }),
  mutant('client/src/database/incoming-frames.ts', 'if (isFresh || isOther) await', 'if (isFresh) await', {
    id: 'raised-limits-unused',
    rules: ['D6'],
    what: 'A refused change is not offered when the limits of the server are raised.',
    tests: ['client/kept-whole'],
    names: 'offered again',
  }),
  mutant('client/src/documents/own-document.ts', 'this.doc.store.pendingStructs = null', '', {
    id: 'gaps-kept',
    rules: ['D6', 'S1'],
    what: 'A device keeps changes with gaps, and sends them on for ever.',
    tests: hostile,
    names: 'a state with gaps',
    isSeenByWaiting: true,
  }),
  mutant(
    'client/src/sync/connection-manager.ts',
    'else this.#isServerFailing = true',
    'else this.#isServerFailing = false',
    {
      id: 'garbled-server-asked-at-once',
      rules: ['D6'],
      what: 'A server that sends no document is asked again and again without a pause.',
      tests: hostile,
      names: 'bytes that are no update',
    },
  ),
  mutant('client/src/sync/sender.ts', 'if (slower > 0) await', 'if (slower < 0) await', {
    id: 'refusing-server-asked-at-once',
    rules: ['D6'],
    what: 'A server that refuses everything is sent the next change without a pause.',
    tests: hostile,
    names: 'refuses everything as malformed',
  }),
  mutant(
    'client/src/database/remade-entries.ts',
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
