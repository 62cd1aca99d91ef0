import { type Mutant, mutant } from '../mutant.ts'

const feed = 'server/src/relay/feed.ts'

/** Mistakes that no test noticed until a reader of the sources looked for them. */
export const attackMutants: readonly Mutant[] = [
  mutant(
    'server/src/relay/hand-over.ts',
    '    queue.add(entry)\n    return false',
    '    return false && queue.isEmpty',
    {
      id: 'no-room-and-forgotten',
      rules: ['F1', 'F2'],
      what: 'A level without room on the socket is never sent.',
      tests: ['server/feed'],
      names: '\\[F2\\]',
    },
  ),
  mutant(
    'server/src/relay/hand-over.ts',
    'return queue.isEmpty && this.#offered === 0 ? cursor.ofLastFrame() : noCursor',
    'return queue && cursor.ofLastFrame()',
    {
      id: 'cursor-passes-the-queue',
      rules: ['F1'],
      what: 'A frame carries the cursor while others wait. A device that disconnects then never receives the others.',
      tests: ['server/feed'],
      names: '\\[F2\\]',
    },
  ),
  mutant(
    'server/src/relay/feed-cursor.ts',
    'if (changedAt > this.#position) this.#isOwed = true',
    'if (changedAt > this.#position) this.#isOwed = false',
    {
      id: 'cursor-behind-what-came-to-nothing',
      rules: ['F1'],
      what: 'A grant that was removed and made again between two visits is sent again on return.',
      tests: ['server/feed'],
      names: 'revocation and a new grant',
    },
  ),
  mutant('server/src/relay/feed-entries.ts', 'if (isWaiting) this.#waiting.add(entry.owner)', '', {
    id: 'waits-and-is-dropped',
    rules: ['F1', 'S3'],
    what: 'A device never learns that a follow no longer waits if it shows nothing.',
    tests: ['server/visibility-feed'],
    names: 'waits no longer',
  }),
  mutant(feed, "if (isNew && this.#state === 'open') entry.joinSentAt = this.#store.position", '', {
    id: 'joined-again-when-looked-at',
    rules: ['F3'],
    what: 'A joined message that was already sent is sent again when the viewer fetches the owner.',
    tests: ['server/visibility-feed'],
    names: '\\[F3\\]',
  }),
  mutant('server/src/relay/level-frames.ts', 'withCursor} ', "''} ", {
    id: 'frame-of-another-cursor',
    rules: ['F1'],
    what: 'A viewer of two owners receives the frame with the cursor that was made for a viewer of one.',
    tests: ['server/visibility-feed'],
    names: 'one commit of several owners',
  }),
  mutant('server/src/relay/plan.ts', 'if (hasFollowEnded(entry, view)) entry.isFetched = false', '', {
    id: 'fetch-outlives-unfollowing',
    rules: ['V7'],
    what: 'An owner who was fetched, then followed and declined, is shown again by the next grant.',
    tests: ['server/visibility-feed'],
    names: '\\[V7\\]',
  }),
  mutant(
    'server/src/relay/current-reads.ts',
    'while (this.#isAnnounced) await new Promise<void>(resolve => this.#waiting.push(resolve))',
    '',
    {
      id: 'read-while-it-is-written',
      rules: ['V10'],
      what: 'A read begins while a batch is being written, so the number of reads depends on the time at which it begins.',
      tests: ['server/current-reads'],
      names: '\\[V4\\]',
    },
  ),
  mutant('server/src/relations/family.ts', 'own.written.clear()', '', {
    id: 'erased-but-for-this-batch',
    rules: ['V5'],
    what: 'Records that were written earlier in the batch that erases an account remain.',
    tests: ['server/one-batch'],
  }),
  mutant('server/src/relations/own-records.ts', 'return written ? written.value !== undefined :', 'return', {
    id: 'asked-twice-in-a-batch',
    rules: ['S4'],
    what: 'An id that is looked up twice in a batch costs two look-ups.',
    tests: ['server/one-batch'],
  }),
  mutant(
    'client/src/database/edit.ts',
    'if (kept.length > 0) await work.db.outbox.put({ ...row, changes: encodeChanges(kept) })\n    else await',
    'await',
    {
      id: 'refused-and-half-replaced',
      rules: ['D5'],
      what: 'After a refused change, the parts of it that a later edit does not name are lost.',
      tests: ['client/refusal'],
      names: '\\[D5\\] refused changes of keys',
    },
  ),
  mutant('client/src/sync/sync-waiters.ts', 'await this.#store.idle()', '', {
    id: 'synced-before-saved',
    rules: ['D2'],
    what: 'whenSynced resolves without waiting for changes that are still being saved.',
    tests: ['client/online'],
    names: '\\[D2\\]',
  }),
  mutant('client/src/database/people.ts', 'if (isOpenedAgain) this.#showAgain(id)', '', {
    id: 'lifted-and-not-shown',
    rules: ['F1'],
    what: 'A profile that arrived while its owner was blocked stays hidden when the block is lifted.',
    tests: ['client/replicas'],
  }),
  mutant(
    'client/src/database/people.ts',
    'replica.hidden = [...replica.hidden, ...replica.levels]',
    'replica.hidden = replica.levels',
    {
      id: 'hidden-once-and-forgotten',
      rules: ['V7'],
      what: 'No event is emitted for a profile that disappears while a feed restarts for the second time.',
      tests: ['client/replicas'],
    },
  ),
]
