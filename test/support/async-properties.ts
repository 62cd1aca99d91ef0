import fc from 'fast-check'

/** As in `npm test` with `KITH_TEST_SEED=…`: the same seed gives the same cases. */
const seed = Number(process.env['KITH_TEST_SEED'] ?? Date.now() % 2 ** 31)
console.info(`property seed ${seed}`)

/** Checks a property whose cases wait for something; a failure names the smallest counterexample and the seed. */
export function alwaysHolds<T>(property: fc.IAsyncProperty<T>, numRuns: number): Promise<void> {
  return fc.assert(property, { seed, numRuns })
}
