import { type Mutant, mutant } from '../mutant.ts'

/** Mistakes that would make lists, names of levels and bulk calls of the client wrong. */
export const surfaceMutants: readonly Mutant[] = [
  mutant('client/src/api/shown.ts', 'this.contacts.mark(people.keys())\n', '', {
    id: 'index-misses-own-changes',
    rules: [],
    what: 'getContacts shows rows as they were before a change of this tab.',
    tests: ['client/surface'],
    names: 'getContacts shows each change',
  }),
  mutant('client/src/api/shown.ts', 'this.contacts.mark(ids)\n', '', {
    id: 'index-misses-other-tabs',
    rules: [],
    what: 'getContacts shows rows as they were before a change of another tab.',
    tests: ['client/tabs'],
    names: 'getContacts shows what another tab changed',
  }),
  mutant('client/src/api/contact-index.ts', "this.#stale = 'all'\n      throw error", 'throw error', {
    id: 'index-forgets-a-failed-read',
    rules: [],
    what: 'After a failed read, getContacts never reads the rows that it should have read.',
    tests: ['client/surface'],
    names: 'reads everything anew',
  }),
  mutant('client/src/api/core.ts', 'this.shown.unstage(users)', '', {
    id: 'removal-keeps-what-is-staged',
    rules: [],
    what: 'Changes staged for a removed contact create the contact again with the next save.',
    tests: ['client/surface'],
    names: 'removeContacts removes many',
  }),
  mutant('client/src/api/levels.ts', 'Object.hasOwn(names, value)', 'value in names', {
    id: 'level-of-every-object',
    rules: [],
    what: 'A name that every object has, such as constructor, is accepted as a level.',
    tests: ['client/surface'],
    names: 'levels have names',
  }),
  mutant(
    'client/src/api/levels.ts',
    "'level' in options ? checkLevel(options.level, names) : 0",
    'checkLevel((options as { level?: unknown }).level ?? 0, names)',
    {
      id: 'level-that-is-undefined-is-public',
      rules: [],
      what: 'A value with a level that the app has not read yet is shown to everyone.',
      tests: ['client/type-errors'],
    },
  ),
  mutant('client/src/api/levels.ts', '[...value].map', 'value.map', {
    id: 'level-in-a-hole',
    rules: ['S2'],
    what: 'A hole in an array of levels becomes a grant that every server refuses.',
    tests: ['client/type-errors'],
  }),
  mutant('shared/src/account/make-file.ts', " && label !== ''", '', {
    id: 'export-that-no-import-reads',
    rules: [],
    what: 'The export of an account with an empty label is refused by the import.',
    tests: ['client/account'],
    names: 'empty label',
  }),
  mutant(
    'client/src/account/read-file.ts',
    'return nameAt(place, name, 1, maxNameBytes)',
    'return nameAt(place, name)',
    {
      id: 'import-of-a-name-that-no-server-takes',
      rules: ['D5'],
      what: 'An import adds a setting that every server refuses.',
      tests: ['client/account'],
      names: 'is malformed',
    },
  ),
  mutant('client/src/account/plan-account.ts', 'if (!contact.hasChangedHands) {', '{', {
    id: 'import-gives-to-new-holder',
    rules: ['D7'],
    what: 'A holder of an id on the next server receives the levels of the old holder of that id.',
    tests: ['client/account'],
    names: 'whoever has the id on the next server',
  }),
  mutant('client/src/account/plan-account.ts', 'if (!there || !Object.hasOwn(there, name)) plan', 'if (true) plan', {
    id: 'import-overwrites-fields',
    rules: [],
    what: 'An import overwrites values that the user has set on the new server.',
    tests: ['client/account'],
    names: 'changes nothing that the account has',
  }),
  mutant(
    'client/src/database/edit.ts',
    'for (const { name, changes } of changed) {\n      // What was refused',
    "for (const { name, changes } of changed) {\n      if (name === 'profile') continue\n      // What was refused",
    {
      id: 'second-document-not-checked',
      rules: ['D5'],
      what: 'The profile part of a change of both documents may exceed its limits.',
      tests: ['client/account'],
      names: 'beyond a limit of the profile',
    },
  ),
]
