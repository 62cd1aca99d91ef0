import { type Mutant, mutant } from '../mutant.ts'

const committed = 'server/src/relay/committed-levels.ts'
const difference = 'server/src/relay/difference.ts'
const tests = ['server/differences', 'server/differences-property']

/** Mistakes that would give a device a difference that it does not understand, or one for a state other than its own. */
export const differenceMutants: readonly Mutant[] = [
  mutant('server/src/socket/session.ts', 'this.wire >= differencesWire', 'this.wire > 0', {
    id: 'difference-to-an-older-device',
    rules: ['F1'],
    what: 'A device of a release that does not know differences is sent one.',
    tests: ['server/differences'],
    names: 'a device of wire',
  }),
  mutant('server/src/relay/feed.ts', 'asDifference: this.#takesDifferences', 'asDifference: true', {
    id: 'difference-to-every-device',
    rules: ['F1'],
    what: 'Whether a device takes differences is not looked at.',
    tests,
  }),
  mutant(committed, 'this.#fields.has(level) ? this.#names.get(level) : new Map<string, boolean>()', 'new Map()', {
    id: 'difference-of-the-last-commit',
    rules: ['F1'],
    what: 'Of several commits in a batch, a difference has what the last one changed.',
    tests,
  }),
  mutant(committed, 'else this.#names.delete(level)', '', {
    id: 'difference-over-a-beginning',
    rules: ['F1'],
    what: 'A level that begins anew within a batch goes out as a difference to what was there before.',
    tests: ['server/differences'],
    names: 'begins in a batch',
  }),
  mutant(committed, 'if (!names?.has(name)) names?.set(name, false)', 'names?.set(name, false)', {
    id: 'difference-forgets-what-came-back',
    rules: ['F1'],
    what: 'A field that was removed, added and removed in one batch stays on devices.',
    tests: ['server/differences'],
    names: 'came and went',
  }),
  mutant(difference, 'wasThere && !present.has(name)', 'wasThere && false', {
    id: 'difference-without-removals',
    rules: ['F1', 'V5'],
    what: 'A field that was removed is not named in a difference.',
    tests: ['server/differences'],
    names: 'came and went',
  }),
  mutant(difference, 'wasThere && !present.has(name)', '!present.has(name)', {
    id: 'difference-names-what-was-never-shown',
    rules: ['V5'],
    what: 'A field that came and went between two states that a device holds is named to it.',
    tests,
  }),
  mutant('server/src/relations/level-edit.ts', 'now === undefined ||', 'now !== undefined &&', {
    id: 'edit-without-removals',
    rules: ['F1', 'V5'],
    what: 'A commit does not say which fields are gone.',
    tests: ['server/differences-property'],
  }),
  mutant(
    'server/src/relay/plan.ts',
    '!sentLevels.includes(level) || entry.stale.has(level)',
    'entry.stale.has(level)',
    {
      id: 'level-granted-again-not-handed-over',
      rules: ['F1', 'V7'],
      what: 'A level that was withdrawn and is granted again counts as held.',
      tests: ['server/differences'],
      names: 'granted it again',
    },
  ),
  mutant('client/src/database/people.ts', 'if (!sameValue(fieldsDigest(next), digest)) return false', '', {
    id: 'difference-merged-into-another-state',
    rules: ['F1'],
    what: 'A device applies a difference to whatever it holds.',
    tests: ['client/differences'],
  }),
  mutant('client/src/database/people.ts', 'for (const name of removed) delete next[name]', '', {
    id: 'removed-field-kept',
    rules: ['V7'],
    what: 'A device keeps a field that a difference says is gone.',
    tests: ['client/differences'],
  }),
  mutant('client/src/database/incoming-frames.ts', "(await readMeta(db, 'dropped'))?.owners.has(owner)", 'owner', {
    id: 'cursor-passes-a-difference-not-taken',
    rules: ['F1'],
    what: 'A difference that does not fit is passed over, and its cursor is stored.',
    tests: ['client/differences'],
  }),
  mutant('client/src/database/incoming-frames.ts', "(await readMeta(db, 'dropped'))?.owners.has(owner)", '!owner', {
    id: 'session-ends-for-a-dropped-replica',
    rules: ['V7'],
    what: 'A difference for a replica that the device has dropped on its own ends the session.',
    tests: ['client/differences'],
  }),
]
