/** A text of one source file, and its replacement with a mistake. */
export interface Replacement {
  /** The path from the repository's root. */
  file: string
  /** Occurs in the file exactly once. */
  find: string
  replace: string
}

/** A plausible mistake, and the tests that must notice it. */
export interface Mutant {
  /** The fault in a few words: `offer-before-recheck`. */
  id: string
  /** The rules that the mistake breaks. */
  rules: readonly string[]
  /** The fault in one sentence. */
  what: string
  changes: readonly Replacement[]
  /** The test files, from `test/`, without `.test.ts`. At least one of them must fail. */
  tests: readonly string[]
  /** Only tests whose names match, if a file takes long. */
  names?: string
  /** The mistake shows only as a test that waits in vain, because a missing event cannot be noticed in another way. */
  isSeenByWaiting?: boolean
}

/** Returns a mutant of one file. `packages/` is added to the path. */
export function mutant(file: string, find: string, replace: string, rest: Omit<Mutant, 'changes'>): Mutant {
  return { ...rest, changes: [{ file: `packages/${file}`, find, replace }] }
}

/**
 * Returns the mutants for which a name is the id, a rule, or a part of the name of a mutated file. Without names, returns all.
 */
export function chosenOf(mutants: readonly Mutant[], names: readonly string[] | undefined): readonly Mutant[] {
  const isChosen = ({ id, rules, changes }: Mutant, name: string): boolean =>
    id === name || rules.includes(name) || changes.some(({ file }) => file.includes(name))
  return names ? mutants.filter(mutant => names.some(name => isChosen(mutant, name))) : mutants
}
