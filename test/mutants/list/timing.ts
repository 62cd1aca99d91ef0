import { type Mutant, mutant } from '../mutant.ts'

const signIn = 'server/src/socket/sign-in.ts'
const rates = 'server/src/socket/rate-limits.ts'
const session = 'server/src/socket/session.ts'
const presence = 'server/src/presence/presence.ts'
const sizes = 'server/src/admission/size-limits.ts'
const relay = 'server/src/relay/relay.ts'
const profile = 'client/src/api/contact-profile.ts'
const synchronizer = 'client/src/api/contact-synchronizer.ts'
const ownDocuments = 'client/src/database/own-documents.ts'
const fetches = 'client/src/sync/profile-fetches.ts'

/**
 * Mistakes that show between two awaits, after an end, above a number that small tests never reach, or the second time in one
 * session.
 */
export const timingMutants: readonly Mutant[] = [
  mutant(
    'server/src/http/users.ts',
    `const { position } = await store.commit({ type: 'revoke', user })
      endSessions(user)`,
    `endSessions(user)
      const { position } = await store.commit({ type: 'revoke', user })`,
    {
      id: 'sessions-end-before-the-revocation',
      rules: ['V9'],
      what: 'A device that signs in while the revocation is being written keeps its session.',
      tests: ['server/sign-in-race'],
      names: 'is being written',
    },
  ),
  mutant(signIn, 'this.#attempts.end(revoked, user)', '', {
    id: 'revocation-misses-a-sign-in',
    rules: ['V9'],
    what: 'A session begins with a token that was revoked while it was checked.',
    tests: ['server/sign-in-race'],
    names: 'no session begins',
  }),
  mutant(signIn, 'return sessions + this.#attempts.countOf(address) >=', 'return sessions >=', {
    id: 'address-counted-too-early',
    rules: ['S3'],
    what: 'Connections of one address that sign in at the same time exceed its limit together.',
    tests: ['server/sign-in-race'],
    names: 'one address',
  }),
  mutant(rates, '!isHere(user) && writes.isFull && messages.isFull', '!isHere(user)', {
    id: 'sweep-forgives',
    rules: ['S3'],
    what: 'A user who spent the write budget and left has all of it again after the next sweep.',
    tests: ['server/sign-in-race'],
    names: 'after the sweep',
  }),
  mutant(rates, '!isHere(user) && writes.isFull', 'writes.isFull', {
    id: 'sweep-parts-devices',
    rules: ['S3'],
    what: 'After a sweep, the next device of a user gets a write budget of its own.',
    tests: ['server/sign-in-race'],
    names: 'one user share their writes,',
  }),
  mutant(session, 'if (!this.#isClosed) this.#expiry.set', 'this.#expiry.set', {
    id: 'timer-of-an-ended-session',
    rules: ['F2'],
    what: 'A renewal that was checked while the session ended leaves a timer, which keeps the session in memory.',
    tests: ['server/sign-in-race'],
    names: 'leaves no timer',
  }),
  mutant(session, 'this.waiting.end()\n    this.context.relay.leave(this)', 'this.context.relay.leave(this)', {
    id: 'waiting-outlives-the-session',
    rules: ['F2'],
    what: 'The timer for waiting follows continues after the device has left.',
    tests: ['server/ended'],
  }),
  mutant(
    'server/src/relay/feed-entries.ts',
    'for (const entry of this.#byOwner.values()) this.#relay.removeEntry(entry)\n',
    '',
    {
      id: 'audience-only-grows',
      rules: ['F2'],
      what: 'The relay keeps the entries of sessions that have ended.',
      tests: ['server/ended'],
    },
  ),
  mutant(relay, 'if (sessions?.size === 0) this.#sessionsByUser.delete(session.user)\n    session.feed?.close()', '', {
    id: 'feed-left-open',
    rules: ['F2'],
    what: 'The feed of an ended session continues.',
    tests: ['server/ended'],
  }),
  mutant('server/src/presence/subscriptions.ts', 'some?.delete(watch)', '', {
    id: 'watchers-only-grow',
    rules: ['F2'],
    what: 'The watched owners of a session are kept after its end.',
    tests: ['server/ended'],
  }),
  mutant(presence, '?.sessions !== 0 || this.#leaving.has(user)', '?.sessions !== 0', {
    id: 'left-again-while-written',
    rules: ['F1'],
    what: 'A user who came back and left again while the first departure was being written is gone immediately, and the second departure is not recorded.',
    tests: ['server/presence'],
    names: 'user who returns during the',
  }),
  mutant(presence, 'if (this.#stays.get(user)?.sessions !== 0 || ', 'if (', {
    id: 'gone-though-back',
    rules: ['F1'],
    what: 'A user who returned during the write of last seen is reported as offline.',
    tests: ['server/presence'],
    names: 'user who returns during the',
  }),
  mutant('server/src/store/level/keys.ts', "padStart(14, '0')", "padStart(4, '0')", {
    id: 'short-positions',
    rules: ['F1'],
    what: 'Beyond position 65,535, keys are no longer sorted like positions.',
    tests: ['server/keys'],
  }),
  mutant(
    'server/src/store/level/group-commit.ts',
    'this.#queue = this.#queue.slice(Math.max(1, group.length))',
    'this.#queue = []',
    {
      id: 'one-group-only',
      rules: ['D2'],
      what: 'If there are more than 256 changes at once, the others are neither written nor answered.',
      tests: ['server/keys'],
      names: '\\[D2\\] 600 simultaneous changes',
      isSeenByWaiting: true,
    },
  ),
  mutant(
    sizes,
    'before.size + fields <= limits.profileLevels',
    'before.size + update.length / 12 <= limits.profileLevels',
    {
      id: 'levels-by-bytes',
      rules: ['S3'],
      what: 'A small update fills emptied levels again beyond their limit.',
      tests: ['server/size-limits'],
      names: 'levels',
    },
  ),
  mutant(
    sizes,
    '...before.values()) + addedBytes <= limits.profileBytes',
    '...before.values()) + update.length <= limits.profileBytes',
    {
      id: 'fields-by-bytes',
      rules: ['S3'],
      what: 'A small update brings removed fields back beyond the limit.',
      tests: ['server/size-limits'],
      names: '\\[S3\\] removed fields that are',
    },
  ),
  mutant(sizes, 'if (minStructBytes * structs + update.length > most) return true', '', {
    id: 'history-by-stored-bytes',
    rules: ['S3'],
    what: 'A roster of removed entries that are stored in a few bytes grows in memory without limit.',
    tests: ['server/size-limits'],
    names: 'memory',
  }),
  mutant(
    profile,
    `this.#staged = {}
    this.#saving.add(kept)`,
    'this.#saving.add(kept)',
    {
      id: 'staged-written-twice',
      rules: ['R3'],
      what: 'Saved changes stay staged, and later revert changes by another device.',
      tests: ['client/staged', 'client/offline'],
    },
  ),
  mutant(
    profile,
    'planContact(roster, this.id, staged, () => this.#host.newNonce()),\n      )',
    'planContact(roster, this.id, staged, () => this.#host.newNonce()),\n      )\n      this.#staged = {}',
    {
      id: 'staged-meanwhile-lost',
      rules: ['D1'],
      what: 'Changes that are staged while a save is in progress are forgotten.',
      tests: ['client/staged'],
      names: 'edits staged during a save',
    },
  ),
  mutant(profile, 'delete kept[name as keyof ContactEdit]', 'void name', {
    id: 'older-staging-counts',
    rules: ['D5'],
    what: 'When a save fails, changes that were staged since are overwritten by earlier ones.',
    tests: ['client/staged'],
    names: 'while a save fails',
  }),
  mutant(profile, '    this.#saving.clear()\n', '', {
    id: 'staged-again-after-the-removal',
    rules: ['D5'],
    what: 'A save that fails stages settings again that a removal has dropped.',
    tests: ['client/staged'],
    names: 'dropped meanwhile',
  }),
  mutant(
    profile,
    `this.unstage()
    await edit(this.#host.store, 'roster', roster => planRemoval`,
    `await edit(this.#host.store, 'roster', roster => planRemoval`,
    {
      id: 'staged-outlives-the-removal',
      rules: ['R5'],
      what: 'Changes that were staged before a removal are written by the next save.',
      tests: ['client/staged'],
      names: 'removal',
    },
  ),
  mutant(
    synchronizer,
    '[...queued.filter(batch => this.#queue.has(batch)), ...own]',
    '[...own, ...queued.filter(batch => this.#queue.has(batch))]',
    {
      id: 'queue-out-of-order',
      rules: ['D5', 'R5'],
      what: 'Older synchronisations overwrite newer ones.',
      tests: ['client/sync-calls'],
      names: 'of several calls',
    },
  ),
  mutant(
    synchronizer,
    `    const core = coreOf(this.#kith)
    const users`,
    `    for (const batch of batches) this.#queue.delete(batch)
    const core = coreOf(this.#kith)
    const users`,
    {
      id: 'queue-lost',
      rules: ['D5'],
      what: 'A syncNow that fails forgets the queued changes.',
      tests: ['client/staged'],
      names: 'keeps the queue',
    },
  ),
  mutant(synchronizer, 'const result = this.#last.then(', 'const result = Promise.resolve().then(', {
    id: 'queue-written-by-two',
    rules: ['R5'],
    what: 'Two synchronisations at the same time both write the queue, and both count its contacts.',
    tests: ['client/sync-calls'],
    names: 'of several calls',
  }),
  mutant(synchronizer, 'addresses.catch(() => this.#queue.delete(batch))', 'addresses.catch(() => undefined)', {
    id: 'queue-that-cannot-be-read',
    rules: ['D5'],
    what: 'A queued call whose addresses could not be read makes every later call reject.',
    tests: ['client/sync-calls'],
    names: 'cannot be read',
  }),
  mutant(synchronizer, 'onProgress && (progress => tell(onProgress, progress))', 'onProgress', {
    id: 'progress-that-throws',
    rules: ['D5'],
    what: 'A synchronisation rejects after it was written, because a function of the app throws.',
    tests: ['client/sync-calls'],
    names: 'onProgress throws',
  }),
  mutant(
    ownDocuments,
    'this[document].take(update)\n      this.#grow(document, update)',
    'this[document].take(update)',
    {
      id: 'other-tabs-take-no-room',
      rules: ['D5', 'S3'],
      what: 'Changes that another tab wrote do not count toward the size of the roster.',
      tests: ['client/second-time'],
      names: 'another tab',
    },
  ),
  mutant(ownDocuments, '      this.#rosterBytesAtMost = uncounted\n', '', {
    id: 'snapshots-take-no-room',
    rules: ['D5', 'S3'],
    what: 'Changes that another tab folded into a snapshot do not count toward the size of the roster.',
    tests: ['client/second-time'],
    names: 'another tab',
  }),
  mutant(
    'client/src/sync/session.ts',
    'await this.#port\n          .received(',
    'void this.#port\n          .received(',
    {
      id: 'received-before-it-is',
      rules: ['D1'],
      what: 'A message is delivered though its sender cannot be followed yet: it is lost if the app ends now.',
      tests: ['client/second-time'],
      names: 'a message is',
    },
  ),
  mutant(fetches, 'this.#pendingAgain.delete(owner)\n', '', {
    id: 'asked-again-once',
    rules: ['V7', 'F1'],
    what: 'A profile that was let in again once in a session does not return the second time.',
    tests: ['client/dropped'],
    names: 'whom another device lets in again',
  }),
  mutant(
    'server/src/accounts/accounts.ts',
    'this.#context.documents.sweep()',
    'this.#context.documents.sweep()\n    this.#busy.clear()',
    {
      id: 'sweep-forgets-who-writes',
      rules: ['D2', 'V6'],
      what: 'A sweep during a commit lets the next write of the same user run at the same time.',
      tests: ['server/document-sweep'],
      names: 'a commit that then fails',
    },
  ),
  mutant(
    sizes,
    'document.storedBytes + maxStructBytes * document.structs + update.length',
    'document.storedBytes + update.length',
    {
      id: 'roster-by-stored-bytes',
      rules: ['S3'],
      what: 'A roster beyond its limit is admitted, because its stored bytes are counted instead of its content.',
      tests: ['server/size-limits'],
      names: 'content, however few bytes',
    },
  ),
]
