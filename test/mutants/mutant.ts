/** A text of one source file, and what a mistake would have made of it. */
export interface Replacement {
  /** From the repository's root. */
  file: string
  /** Stands in the file exactly once. */
  find: string
  replace: string
}

/** A mistake that somebody could make, and the tests that must notice it. */
export interface Mutant {
  /** What is broken, in a few words: `offer-before-recheck`. */
  id: string
  /** The rules that it breaks. */
  rules: readonly string[]
  /** What is broken, in a sentence. */
  what: string
  changes: readonly Replacement[]
  /** The test files of which one is to fail, from `test/`, without `.test.ts`. */
  tests: readonly string[]
  /** Only tests whose names match, where a file takes long. */
  names?: string
  /** It shows as a test that waits in vain: what never comes can be noticed in no other way. */
  isSeenByWaiting?: boolean
}

/** A mutant of one file. `packages/` goes without saying. */
export function mutant(file: string, find: string, replace: string, rest: Omit<Mutant, 'changes'>): Mutant {
  return { ...rest, changes: [{ file: `packages/${file}`, find, replace }] }
}

/** Those of which a name is the id, a rule, or a part of the name of a mutated file; all without names. */
export function chosenOf(mutants: readonly Mutant[], names: readonly string[] | undefined): readonly Mutant[] {
  const isChosen = ({ id, rules, changes }: Mutant, name: string): boolean =>
    id === name || rules.includes(name) || changes.some(({ file }) => file.includes(name))
  return names ? mutants.filter(mutant => names.some(name => isChosen(mutant, name))) : mutants
}
