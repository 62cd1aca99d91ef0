import { type Mutant, mutant } from '../mutant.ts'

const tests = ['server/blocked-viewer']

/** What would tell a viewer of acts that it may not see: by time, by counting, by outcomes [V10]. */
export const indistinguishableMutants: readonly Mutant[] = [
  mutant(
    'server/src/relay/settled-reads.ts',
    'if (this.#holding === 0) return Promise.resolve()',
    'return Promise.resolve()',
    {
      id: 'batch-waits-for-no-read',
      rules: ['V4', 'V10'],
      what: 'A batch is written between a second read and its hand-over.',
      tests: ['server/settled-reads'],
    },
  ),
  mutant('server/src/relay/settled-reads.ts', '!this.#isWriting && this.#holding < mostHolding', '!this.#isWriting', {
    id: 'batch-waits-for-all-reads',
    rules: ['S1'],
    what: 'As many reads as there are devices hold one batch back.',
    tests: ['server/settled-reads'],
    names: '\\[S1\\]',
  }),
  mutant('server/src/relay/relay.ts', 'if (!related.has(entry.feed.user)) entry', 'entry', {
    id: 'blocked-viewer-looked-at',
    rules: ['V10'],
    what: 'A change of the audience makes the server read for those who see nothing before and after it.',
    tests,
    names: 'the server reads nothing',
  }),
  mutant('server/src/relay/watchers.ts', 'if (!related.has(watch.user)) watch', 'watch', {
    id: 'blocked-watcher-looked-at',
    rules: ['V10'],
    what: 'A change of the audience makes the server read for those who watch in vain.',
    tests,
    names: 'the server reads nothing',
  }),
  mutant('server/src/relay/watch.ts', 'if (this.#watched.get(owner)?.isSeen) this.ask(owner)', 'this.ask(owner)', {
    id: 'hiding-looked-at-by-strangers',
    rules: ['V10'],
    what: 'Hiding makes the server read for those who may know nothing anyway.',
    tests,
    names: 'the server reads nothing',
  }),
  mutant('server/src/store/derive/showing.ts', 'related: new Set(others)', "related: new Set([...others, 'carol'])", {
    id: 'stranger-taken-for-related',
    rules: ['F1', 'V4'],
    what: 'A stranger who fetched a profile goes on getting it when the audience is narrowed.',
    tests,
    names: '\\[F1\\] a viewer who fetched',
  }),
  mutant(
    'server/src/relay/relay.ts',
    'if (entry.feed.takes(entry, [...levels.keys()]).length > 0) last.set(entry.feed, owner)',
    'last.set(entry.feed, owner)',
    {
      id: 'unseen-owner-takes-the-cursor',
      rules: ['V10', 'F1'],
      what: 'A frame lacks its cursor because an owner of whom the viewer sees nothing shares the batch.',
      tests,
      names: 'leaves no gap',
    },
  ),
  mutant(
    'server/src/relay/feed.ts',
    "if (this.#state !== 'open' || !this.#hasCaughtUp) return",
    "if (this.#state !== 'open' || !this.#hasCaughtUp || this.#toldPosition === this.#store.position) return",
    {
      id: 'hourly-cursor-only-if-moved',
      rules: ['V10'],
      what: 'A device that gets nothing learns once an hour whether anything was committed.',
      tests,
      names: 'once an hour',
    },
  ),
  mutant(
    'server/src/relay/cursors.ts',
    'const nonce = randomBytes(nonceBytes)',
    'const nonce = Buffer.alloc(nonceBytes)',
    {
      id: 'cursors-alike',
      rules: ['V10'],
      what: 'Two cursors of one position are the same bytes, so commits are counted by comparing.',
      tests: ['server/cursors'],
      names: '\\[V10\\]',
    },
  ),
  mutant('server/src/relay/cursors.ts', 'if (cursor.length !== cursorBytes) return undefined', '', {
    id: 'short-cursor-throws',
    rules: ['S1'],
    what: 'A short cursor ends the session of the device with an error.',
    tests: ['server/cursors'],
    names: '\\[S1\\]',
  }),
  mutant('server/src/store/open.ts', 'const cursorKey = key ?? randomBytes(32)', 'const cursorKey = randomBytes(32)', {
    id: 'new-cursor-key-at-each-start',
    rules: ['F1'],
    what: 'After a restart every device gets everything again.',
    tests: ['server/cursors'],
    names: '\\[F1\\]',
  }),
  mutant('server/src/http/metrics.ts', '!isOpen || !isFromThisMachine(request.raw)', '!isOpen', {
    id: 'metrics-through-a-proxy',
    rules: ['V10'],
    what: 'A reverse proxy on the same machine shows everyone how many changes were committed.',
    tests: ['server/metrics'],
  }),
  mutant('server/src/server.ts', 'namesLoopback(options.host) && options.trustedProxies.length === 0', 'true', {
    id: 'metrics-of-a-public-server',
    rules: ['V10'],
    what: 'A server that others reach shows its metrics without a key.',
    tests: ['server/metrics'],
  }),
  mutant('server/src/socket/direct-messages.ts', 'mayKnowPresence(session.feed, to, view)', 'true', {
    id: 'presence-by-message',
    rules: ['V8', 'V10'],
    what: 'The outcome of a message tells a stranger whether its recipient is there.',
    tests: ['server/unconfirmed'],
    names: '\\[V10\\]',
  }),
  mutant(
    'shared/src/visibility.ts',
    "messageAudience === 'everyone' || (messageAudience === 'contacts' && (isContact || grants.length > 0))",
    "messageAudience !== 'nobody'",
    {
      id: 'messages-of-strangers',
      rules: ['R4'],
      what: 'Messages of strangers reach a user who takes those of contacts only.',
      tests: ['shared/visibility'],
      names: 'messages',
    },
  ),
  mutant('shared/src/wire/send-message.ts', "ensure(text !== '', 'a message without text')", '', {
    id: 'message-without-text',
    rules: ['S1'],
    what: 'A message that says nothing, and only asks whether somebody is there, is handed on.',
    tests: ['shared/wire', 'server/messages'],
    names: '\\[S1\\]',
    isSeenByWaiting: true,
  }),
]
