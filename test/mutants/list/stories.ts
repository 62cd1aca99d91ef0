import { type Mutant, mutant } from '../mutant.ts'

/** Mistakes that the engine made until a random history showed them. */
export const storyMutants: readonly Mutant[] = [
  mutant('server/src/relay/plan.ts', 'seen.length > 0 && view.relation.shown.length === 0', 'seen.length > 256', {
    id: 'fetched-passed-off-as-followed',
    rules: ['V7'],
    what: 'A device is not notified that a replica ends with the session.',
    tests: ['simulation/stories'],
  }),
  mutant('server/src/socket/handle.ts', 'await fetchAll(session, owners)', '', {
    id: 'looked-at-and-forgotten',
    rules: ['V7'],
    what: 'The fetched owners of a returning device are not read before caughtUp.',
    tests: ['simulation/stories'],
  }),
  mutant(
    'server/src/admission/origin-order.ts',
    'else begin(missing)',
    'else begin({ ...missing, clock: Number.POSITIVE_INFINITY })',
    {
      id: 'turns-taken-for-a-circle',
      rules: ['D2', 'S2'],
      what: 'Edits of one key by devices in turn are refused when they arrive in one update.',
      tests: ['server/taking-turns'],
    },
  ),
  mutant(
    'server/src/relations/derive.ts',
    'if (Buffer.compare(before?.fields ?? noFields, fields) === 0) continue',
    '',
    {
      id: 'told-of-nothing',
      rules: ['F1'],
      what: 'A concurrent set that does not change the shown value counts as a change.',
      tests: ['simulation/stories'],
    },
  ),
  mutant(
    'client/src/database/people.ts',
    'row.fields = row.isBlocked ? {} : mergeLevels(new Map(replica.levels))',
    'row.fields = mergeLevels(new Map(replica.levels))',
    {
      id: 'shown-before-the-block-is-heard',
      rules: ['V1'],
      what: 'A profile that the server sends before it receives a block is shown until then.',
      tests: ['client/session'],
      names: 'profile that was sent before',
    },
  ),
  mutant(
    'client/src/database/incoming-frames.ts',
    'if (frame.levels.length === 0) people.settleDrop(frame.owner)',
    'people.settleDrop(frame.owner)',
    {
      id: 'dropped-taken-for-held',
      rules: ['F1', 'V7'],
      what: 'Any frame of an owner counts as an answer, although the server had not yet received the drop.',
      tests: ['simulation/stories'],
      names: 'still fetched when the server',
    },
  ),
  mutant('server/src/relations/visible-levels.ts', 'if (!notes.sights.has(key)) notes', 'notes', {
    id: 'told-of-what-one-change-gave-back',
    rules: ['F1'],
    what: 'A grant that is removed and made again in one change counts as changed.',
    tests: ['simulation/stories'],
    names: 'revocation and a new grant',
  }),
  mutant('server/src/relay/plan.ts', 'isUnknown || entry.stale.has(level)', 'entry.stale.has(level)', {
    id: 'erased-levels-left',
    rules: ['D7', 'V7'],
    what: 'Data that an erased account showed stays on devices that were away until the next holder was confirmed.',
    tests: ['server/changed-hands'],
    names: 'keeps nothing of the old holder',
  }),
  mutant(
    'client/src/tabs/shared-link.ts',
    'let unstored: boolean | undefined',
    'if (this.#leading) return isWanted ? this.#leading.own.connect() : this.#leading.own.disconnect()\n    let unstored: boolean | undefined',
    {
      id: 'connect-out-of-turn',
      rules: ['F1'],
      what: 'The tab with the socket connects before it handles earlier requests of another tab.',
      tests: ['client/tabs'],
      names: 'connect and disconnect counts,',
      isSeenByWaiting: true,
    },
  ),
]
