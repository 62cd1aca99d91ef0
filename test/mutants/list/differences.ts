import { type Mutant, mutant } from '../mutant.ts'

const committed = 'server/src/relay/committed-levels.ts'
const difference = 'server/src/relay/difference.ts'
const tests = ['server/differences', 'server/differences-property']

/** Mistakes that would give a device a difference that it does not understand, or one for a state other than its own. */
export const differenceMutants: readonly Mutant[] = [
  mutant('server/src/socket/session.ts', 'this.wire >= differencesWire', 'this.wire > 0', {
    id: 'difference-to-an-older-device',
    rules: ['F1'],
    what: 'A device of a release that does not know differences receives one.',
    tests: ['server/differences'],
    names: 'a device of wire',
  }),
  mutant('server/src/relay/feed.ts', 'asDifference: this.#takesDifferences', 'asDifference: true', {
    id: 'difference-to-every-device',
    rules: ['F1'],
    what: 'The server does not check whether a device accepts differences.',
    tests,
  }),
  mutant(committed, 'this.#fields.has(level) ? this.#names.get(level) : new Map<string, boolean>()', 'new Map()', {
    id: 'difference-of-the-last-commit',
    rules: ['F1'],
    what: 'If a batch has several commits, a difference contains only the change of the last one.',
    tests,
  }),
  mutant(committed, 'else this.#names.delete(level)', '', {
    id: 'difference-over-a-beginning',
    rules: ['F1'],
    what: 'A level that begins anew within a batch is sent as a difference to its state before.',
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
    what: 'A removed field is not named in a difference.',
    tests: ['server/differences'],
    names: 'came and went',
  }),
  mutant(difference, 'wasThere && !present.has(name)', '!present.has(name)', {
    id: 'difference-names-what-was-never-shown',
    rules: ['V5'],
    what: 'A field that was added and removed between two states of a device is named to that device.',
    tests,
  }),
  mutant('server/src/relations/level-edit.ts', 'now === undefined ||', 'now !== undefined &&', {
    id: 'edit-without-removals',
    rules: ['F1', 'V5'],
    what: 'A commit does not contain which fields were removed.',
    tests: ['server/differences-property'],
  }),
  mutant(
    'server/src/relay/plan.ts',
    '!sentLevels.includes(level) || entry.stale.has(level)',
    'entry.stale.has(level)',
    {
      id: 'level-granted-again-not-handed-over',
      rules: ['F1', 'V7'],
      what: 'A level that was withdrawn and granted again counts as held.',
      tests: ['server/differences'],
      names: 'granted it again',
    },
  ),
  mutant('client/src/database/people.ts', 'if (!sameValue(fieldsDigest(next), digest)) return false', '', {
    id: 'difference-merged-into-another-state',
    rules: ['F1'],
    what: 'A device applies a difference to any state that it holds.',
    tests: ['client/differences'],
  }),
  mutant('client/src/database/people.ts', 'for (const name of removed) delete next[name]', '', {
    id: 'removed-field-kept',
    rules: ['V7'],
    what: 'A device keeps a field that a difference names as removed.',
    tests: ['client/differences'],
  }),
  mutant('client/src/database/incoming-frames.ts', "(await readMeta(db, 'dropped'))?.owners.has(owner)", 'owner', {
    id: 'cursor-passes-a-difference-not-taken',
    rules: ['F1'],
    what: 'A difference that does not fit is ignored, and its cursor is stored.',
    tests: ['client/differences'],
  }),
  mutant('client/src/database/incoming-frames.ts', "(await readMeta(db, 'dropped'))?.owners.has(owner)", '!owner', {
    id: 'session-ends-for-a-dropped-replica',
    rules: ['V7'],
    what: 'A difference for a replica that the device itself has dropped ends the session.',
    tests: ['client/differences'],
  }),
]
