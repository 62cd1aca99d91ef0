import { type Mutant, mutant } from '../mutant.ts'

const tests = ['simulation/new-enemy']

/**
 * Mistakes that would let an edit overtake the change that shuts a viewer out: `names` is the story in which that viewer sees
 * it [V6].
 */
export const newEnemyMutants: readonly Mutant[] = [
  {
    id: 'profile-sent-first',
    rules: ['V6', 'D5'],
    what: 'A returning device sends its profile before its roster and the roster’s removals.',
    tests,
    names: 'after a revocation, an edit made offline in an app: a viewer who follows live',
    changes: [
      {
        file: 'packages/client/src/database/outbox.ts',
        find: 'documentNames.find(name => asked[name] && mayAnswer(name, asked, pending))',
        replace: '[...documentNames].reverse().find(name => asked[name])',
      },
      {
        file: 'packages/client/src/database/outbox.ts',
        find: "const before = shipment?.document === 'profile' ?",
        replace: "const before = shipment?.document === 'roster' ?",
      },
    ],
  },
  mutant(
    'server/src/accounts/account.ts',
    'const commit = isNothing ? undefined : await store.commit(this.#changeOf(writer, registers, roster, profile))',
    `if (profile?.profile) await store.commit(this.#changeOf(writer, false, undefined, profile))
        const rest = profile && { ...profile, profile: undefined }
        const commit = isNothing ? undefined : await store.commit(this.#changeOf(writer, registers, roster, rest))`,
    {
      id: 'profile-committed-first',
      rules: ['V6'],
      what: 'Data from both documents that arrived together is committed one document after the other, the profile first.',
      tests,
      names: 'after a block, an edit in one commit: a viewer who follows live',
    },
  ),
  mutant('server/src/accounts/account-queue.ts', "entry.type === 'task' || entry.writer !== writer", 'true', {
    id: 'edit-behind-a-failed-revocation',
    rules: ['V6', 'D2'],
    what: 'An edit is admitted although the revocation sent before it could not be written.',
    tests,
    names: 'after a revocation, an edit behind it, which the disk refuses: a viewer who follows live',
  }),
  mutant(
    'server/src/accounts/account.ts',
    'const changes = { roster: roster?.roster, profile: profile?.profile }',
    `if (roster?.relayed) this.#context.relayOwn(this.user, 'roster', roster.relayed, 0, writer)
    const changes = { roster: roster?.roster, profile: profile?.profile }`,
    {
      id: 'own-devices-told-before-the-disk',
      rules: ['V6', 'D2'],
      what: "The owner's other devices see a revocation before it is on disk.",
      tests,
      names: 'after a revocation, an edit on a second device, while the disk refuses it: a viewer who follows live',
    },
  ),
  mutant(
    'server/src/relay/relay.ts',
    '#recheck({ position, pairs, standings, strangers }: Commit): Iterable<number> {\n',
    `#recheck({ position, pairs: all, standings, strangers, subjects }: Commit): Iterable<number> {
    const pairs = all.filter(({ viewer }) => viewer === subjects[0])\n`,
    {
      id: 'owner-not-looked-at',
      rules: ['V4', 'V6'],
      what: 'A change by the viewer makes the relay check again, but a change by the owner does not.',
      tests,
      names: 'after privacy for contacts, an edit on a second device, which saw it: a viewer who follows live',
    },
  ),
  mutant(
    'server/src/relay/current-reads.ts',
    '!this.#isAnnounced && at === this.#reported()',
    'at <= this.#reported()',
    {
      id: 'no-check-after-reading',
      rules: ['V4'],
      what: 'Records read for a device are handed over although commits followed.',
      tests,
      names: 'after privacy for nobody, an edit in one commit: a viewer who catches up, having read views before it',
    },
  ),
  mutant(
    'server/src/relay/feed.ts',
    "if (this.#state === 'new' || this.#state === 'closed') return",
    "if (this.#state !== 'open') return",
    {
      id: 'deaf-while-opening',
      rules: ['V4', 'V6'],
      what: 'A feed that reads its relations while it opens misses a revocation that is made meanwhile.',
      tests,
      names:
        'after a revocation, an edit on a second device, which saw it: a viewer who catches up in between, having read relations',
    },
  ),
  mutant(
    'server/src/relay/plan.ts',
    'const seen = levelsFor(entry, view)',
    'const seen = entry.stale.size > 0 && entry.sentLevels ? entry.sentLevels : levelsFor(entry, view)',
    {
      id: 'stale-by-what-was-told',
      rules: ['V4', 'F2'],
      what: 'A frame that waited for a slow device is sent with the levels from the beginning of the wait.',
      tests,
      names: 'after a block, an edit in one commit: a viewer who is slow',
    },
  ),
  mutant(
    'server/src/relations/roster.ts',
    '  await updateAllRelations(\n    draft,\n    notes,\n    user,\n    async others => {\n',
    `  draft.setUser(user, { audience: settings.audience })
  await updateAllRelations(
    draft,
    notes,
    user,
    async others => {\n`,
    {
      id: 'audience-set-before-it-is-compared',
      rules: ['V3', 'V6'],
      what: 'A narrower audience is written before the former visibility is read, so no viewer seems to lose anything.',
      tests,
      names: 'after privacy for contacts, an edit in one commit: a viewer who reconnects with an old cursor',
    },
  ),
  mutant(
    'server/src/relations/account.ts',
    `  const before = [sightOf(draft, a, b), sightOf(draft, b, a)] as const
  draft.setRelation(a, b, { isPaired })
  draft.setRelation(b, a, { isPaired })
`,
    `  draft.setRelation(a, b, { isPaired })
  draft.setRelation(b, a, { isPaired })
  const before = [sightOf(draft, a, b), sightOf(draft, b, a)] as const
`,
    {
      id: 'pairing-ended-before-it-is-compared',
      rules: ['V2', 'V6'],
      what: 'A pairing ends before the former visibility is read, so no viewer seems to lose anything.',
      tests,
      names: 'after the end of a pairing, an edit on a device: a viewer who reconnects with an old cursor in between',
    },
  ),
]
