import { crowdForAYear } from './crowd.ts'
import { ownerForYears } from './owner.ts'
import { quarrel } from './quarrel.ts'

/** Measures the cost of a long life, and that all of it is bounded. `isQuick` only checks that the results are right. */
export async function longLife({ isQuick }: { isQuick: boolean }): Promise<void> {
  await ownerForYears(isQuick ? 2 : 10, isQuick ? 10 : 365)
  await quarrel(isQuick ? 10 : 1000, isQuick ? 20 : 800)
  await crowdForAYear(isQuick ? 5 : 200, isQuick ? 40 : 365)
}
