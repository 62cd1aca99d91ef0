import type { Mutant } from '../mutant.ts'
import { handingOverMutants } from './handing-over.ts'
import { rosterMutants } from './roster.ts'
import { visibilityMutants } from './visibility.ts'

/** Every mutant, by family of rules. */
export const mutants: readonly Mutant[] = [...rosterMutants, ...visibilityMutants, ...handingOverMutants]
