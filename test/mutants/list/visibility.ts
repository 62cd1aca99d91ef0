import { type Mutant, mutant } from '../mutant.ts'

/**
 * Mistakes that would show a viewer data that the viewer may not see, or hide data that the viewer may: the decision and its
 * facts [V1–V3].
 */
export const visibilityMutants: readonly Mutant[] = [
  mutant('shared/src/visibility.ts', 'standing.ownerBlocks || standing.viewerBlocks', 'standing.ownerBlocks', {
    id: 'block-in-one-direction',
    rules: ['V1'],
    what: 'A user who blocks another still sees that user.',
    tests: ['shared/visibility'],
  }),
  mutant(
    'shared/src/visibility.ts',
    "if (communication !== 'allowed') return { levels",
    "if (communication !== 'allowed' && standing.grants.length === 0) return { levels",
    {
      id: 'grant-beats-block',
      rules: ['V1', 'V2'],
      what: 'A grant is valid in spite of a block or a restriction.',
      tests: ['shared/visibility'],
    },
  ),
  mutant('server/src/relations/standing.ts', 'viewerBlocks: relation.mine.isBlocked', 'viewerBlocks: false', {
    id: 'own-block-not-looked-at',
    rules: ['V1'],
    what: 'The server sends data that the viewer should not see because the viewer has blocked its owner.',
    tests: ['server/http'],
    names: '\\[V1\\]',
  }),
  mutant('server/src/socket/direct-messages.ts', 'if (!isAllowed) return outcome', '', {
    id: 'messages-through-blocks',
    rules: ['V1', 'V2'],
    what: 'Messages reach users who may not communicate with the sender.',
    tests: ['server/messages'],
    names: '\\[V1\\]|\\[V2\\]',
  }),
  mutant('server/src/relations/standing.ts', 'viewer.restricted || owner.restricted', 'owner.restricted', {
    id: 'restriction-on-one-side',
    rules: ['V2'],
    what: 'A restricted viewer sees users without a pair.',
    tests: ['server/store'],
    names: '\\[V3\\]',
  }),
  mutant('server/src/relations/account.ts', 'draft.setRelation(b, a, { isPaired })', '', {
    id: 'pairing-in-one-direction',
    rules: ['V2'],
    what: 'A pairing is valid only for the first of the two users.',
    tests: ['server/store'],
    names: 'pairs are symmetric',
  }),
  mutant(
    'server/src/relations/account.ts',
    'await updateAllRelations(draft, notes, user, () => draft.setUser(user, { restricted: isRestricted }))',
    'draft.setUser(user, { restricted: isRestricted })',
    {
      id: 'restriction-not-followed-up',
      rules: ['V2', 'V7', 'D4'],
      what: 'A restriction has no effect for viewers who already see something.',
      tests: ['server/store'],
      names: '\\[V3\\]',
    },
  ),
  mutant(
    'shared/src/visibility.ts',
    "case 'nobody':\n      return grants.length > 0",
    "case 'nobody':\n      return isContact || grants.length > 0",
    {
      id: 'nobody-means-contacts',
      rules: ['V3'],
      what: 'With the audience `nobody`, contacts without a grant see level 0.',
      tests: ['shared/visibility'],
    },
  ),
  mutant(
    'shared/src/visibility.ts',
    'const levels = new Set(standing.grants)',
    'const levels = new Set(Array.from({ length: Math.max(-1, ...standing.grants) + 1 }, (_, level) => level))',
    {
      id: 'levels-as-a-ladder',
      rules: ['V3'],
      what: 'A grant of one level grants all levels below it.',
      tests: ['shared/visibility'],
    },
  ),
  mutant('shared/src/visibility.ts', 'if (seesPublicLevel(standing)) levels.add(0)', 'levels.add(0)', {
    id: 'level-0-for-everyone',
    rules: ['V3'],
    what: 'Everyone sees level 0, with any audience.',
    tests: ['shared/visibility'],
  }),
  mutant(
    'server/src/relations/roster.ts',
    'if (audience === settings.audience && autoSync === settings.autoSync) return',
    'if (autoSync === settings.autoSync) return',
    {
      id: 'audience-not-taken-over',
      rules: ['V3', 'D4'],
      what: 'A change of only the audience is not stored from the roster.',
      tests: ['server/store'],
      names: '\\[V3\\]',
    },
  ),
]
