import fc from 'fast-check'

/** The seed of every random test in this run. `KITH_TEST_SEED=… npm test` runs the same cases again. */
export const seed: number = Number(process.env['KITH_TEST_SEED'] ?? Date.now() % 2 ** 31)
console.info(`property seed ${seed}`)

/** Under a mutant, failure is expected, and a smaller counterexample is of no use. */
const endOnFailure = Boolean(process.env['KITH_MUTANT'] || process.env['KITH_GENERATED'])

/** Checks a property on random cases. A failure names the smallest counterexample found and the seed. */
export function holds<T>(property: fc.IProperty<T>, numRuns = 200): void {
  fc.assert(property, { seed, numRuns, endOnFailure })
}

/** Checks a property with asynchronous cases. A failure names the smallest counterexample found and the seed. */
export function holdsAsync<T>(property: fc.IAsyncProperty<T>, numRuns: number): Promise<void> {
  return fc.assert(property, { seed, numRuns, endOnFailure })
}
