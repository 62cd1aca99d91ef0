import { type Mutant, mutant } from '../mutant.ts'

const watch = 'server/src/presence/subscription.ts'
const mayKnow = 'server/src/presence/may-know-presence.ts'
const presence = 'server/src/presence/presence.ts'
const watchers = 'server/src/presence/subscriptions.ts'
const tests = ['server/presence']

/** Mistakes that would show presence to a user who may not know it, or show it too often, or not at all. */
export const presenceMutants: readonly Mutant[] = [
  mutant(mayKnow, 'feed.levelsOf(owner, view).length > 0 && !view.owner.hidesPresence', '!view.owner.hidesPresence', {
    id: 'presence-of-anybody',
    rules: ['V1', 'V2', 'V3', 'V8', 'S4'],
    what: 'A viewer receives the presence of any watched owner, without a visibility check.',
    tests,
    names: '\\[V8\\]|\\[S4\\]',
  }),
  mutant(mayKnow, ' && !view.owner.hidesPresence', '', {
    id: 'presence-in-spite-of-hiding',
    rules: ['V8'],
    what: 'The setting that hides presence is stored but has no effect.',
    tests,
    names: 'hides it|\\[R4\\]',
  }),
  mutant(
    'server/src/relay/feed.ts',
    'return entry ? levelsFor(entry, view) : view.relation.shown',
    'return visibleLevels(view)',
    {
      id: 'presence-without-a-look-up',
      rules: ['S4'],
      what: 'Presence needs only visibility, so a viewer can find registered users without the look-up budget.',
      tests,
      names: '\\[S4\\]',
    },
  ),
  mutant(watch, 'await relay.reads.read(', 'await (async (read, handOver) => handOver(await read()))(', {
    id: 'presence-by-what-was-read-before',
    rules: ['V4'],
    what: 'Presence read before a block is sent after it.',
    tests: ['server/presence-race'],
  }),
  mutant(watchers, 'for (const watch of this.#byViewer.get(viewer) ?? []) orFail(watch, () => watch.ask(owner))', '', {
    id: 'presence-after-a-block',
    rules: ['V1', 'V8'],
    what: 'A block does not hide presence that was sent before.',
    tests,
    names: '\\[V1\\]',
  }),
  mutant(watchers, 'watch.askAll()', 'void watch', {
    id: 'presence-after-a-restriction',
    rules: ['V2'],
    what: 'A restriction of the viewer does not withdraw profiles that the viewer only fetched.',
    tests,
    names: '\\[V2\\]',
  }),
  mutant(watchers, 'watch.askIfSeen(owner)', 'void watch', {
    id: 'presence-after-hiding',
    rules: ['V8'],
    what: 'Hiding presence does not hide what was sent before.',
    tests,
    names: 'hides it',
  }),
  mutant(
    'server/src/relations/roster.ts',
    'draft.setUser(user, { hidesPresence: settings.hidesPresence || undefined })',
    'if (settings.hidesPresence) draft.setUser(user, { hidesPresence: true })',
    {
      id: 'hidden-for-ever',
      rules: ['D4'],
      what: 'Presence that was hidden once stays hidden.',
      tests,
      names: '\\[R4\\]',
    },
  ),
  mutant(
    'shared/src/roster/edits.ts',
    "if (isHidden) return [addition('privacy', nonceKey(newNonce(), hidePresenceName))]",
    "if (isHidden) return [addition('privacy', nonceKey('samesame', hidePresenceName))]",
    {
      id: 'hiding-without-a-nonce',
      rules: ['R4'],
      what: 'A device that had not seen the hiding of presence lifts it.',
      tests: ['shared/roster'],
      names: 'concurrent hidings, showing',
    },
  ),
  mutant(
    'shared/src/roster/edits.ts',
    'keys.filter(key => parseNonceKey(key)?.name === hidePresenceName).map(',
    'keys.filter(key => parseNonceKey(key)?.name === hidePresenceName).slice(0, 1).map(',
    {
      id: 'one-key-lifted-only',
      rules: ['R4'],
      what: 'Showing presence again removes only one of the keys that hide it.',
      tests: ['shared/roster'],
      names: 'hidePresence|hiding',
    },
  ),
  mutant(presence, 'const graceMs = 10_000', 'const graceMs = 1', {
    id: 'no-grace',
    rules: ['S3'],
    what: 'A page reload shows other users that its user was away.',
    tests,
    names: 'grace',
  }),
  mutant(watch, 'const restMs = 10_000', 'const restMs = 0', {
    id: 'presence-without-rest',
    rules: ['S3'],
    what: 'Every change of presence is sent, without the rest period.',
    tests,
    names: 'seconds, however often the|repeated block and unblock',
  }),
  mutant(watch, "if (!one.sent || one.sent.is === 'unknown') return", '', {
    id: 'looked-at-though-unknown',
    rules: ['S4'],
    what: 'If a user names random ids, the server checks each of them whenever that user comes or goes.',
    tests: ['server/presence-race'],
    names: '\\[S4\\]',
  }),
  mutant(watch, 'if (!owners.has(one.owner)) this.#drop(one)', 'if (one.owner === "") this.#drop(one)', {
    id: 'watched-for-ever',
    rules: ['F1'],
    what: 'The presence of an owner is sent for the whole session after it was watched once.',
    tests,
    names: 'no longer watched',
  }),
  mutant('server/src/socket/handle.ts', 'named.slice(0, session.context.limits.watchedOwners)', 'named', {
    id: 'watched-without-limit',
    rules: ['S3'],
    what: 'A device can watch any number of owners.',
    tests,
    names: '\\[S3\\]',
  }),
  mutant('server/src/socket/handle.ts', 'watch.countNew(watched)', '0', {
    id: 'watching-costs-nothing',
    rules: ['S3'],
    what: 'A device makes the server read 256 users with each of its messages.',
    tests,
    names: '\\[S3\\]',
  }),
  mutant(
    'server/src/relations/account.ts',
    '{ ...hidden, lookups, lastSeenMinute: undefined }',
    '{ ...hidden, lookups, lastSeenMinute: draft.user(user).lastSeenMinute }',
    {
      id: 'last-seen-of-an-erased-account',
      rules: ['V8'],
      what: 'Last seen of an erased account is shown for the next holder of the id.',
      tests,
      names: 'is erased with the account',
    },
  ),
  mutant(presence, 'atMs < revocation.atMs', 'false', {
    id: 'last-seen-of-a-former-holder',
    rules: ['D7'],
    what: 'The former holder’s last-seen time is recorded for the next holder, when a node that died is found late.',
    tests: ['server/presence-race'],
    names: 'former holder',
  }),
  mutant('server/src/relations/account.ts', '|| record.registeredAt !== (registeredAt ?? record.registeredAt)', '', {
    id: 'last-seen-across-an-erasure',
    rules: ['D7'],
    what: 'An erasure between the read and the write of a last-seen time is not noticed.',
    tests: ['server/presence-race'],
    names: 'is erased while',
  }),
  mutant('server/src/http/users.ts', 'presence.forget(user)', '', {
    id: 'erased-and-still-online',
    rules: ['V8'],
    what: 'An account that was just erased makes the next one of its id online.',
    tests,
    names: 'erased with an account whose',
  }),
  mutant(presence, "await this.#store.commit({ type: 'seen', users })", 'await Promise.resolve()', {
    id: 'last-seen-not-written',
    rules: ['D4'],
    what: 'Last seen is not stored.',
    tests,
    names: 'restart',
  }),
  mutant('client/src/sync/presence-subscription.ts', 'if (this.#known.size > 0) this.#port.show(new Map())', '', {
    id: 'presence-without-a-connection',
    rules: ['V8'],
    what: 'An offline device continues to show presence.',
    tests: ['client/presence'],
    names: 'livePresence emits whether',
  }),
  mutant(
    'client/src/tabs/watching.ts',
    'holdLock(this.#port.locks, this.#lockOf(tab), () => this.heardWanted(tab, []))',
    '(() => undefined)',
    {
      id: 'watched-by-a-tab-that-is-gone',
      rules: ['F1'],
      what: 'The owners that a killed tab watched are watched forever.',
      tests: ['client/presence'],
      names: 'tabs watch',
    },
  ),
]
