import { t } from './texts/texts.ts'

/** The levels that this contacts app uses; an app chooses its own. */
const circleLevels: readonly number[] = [0, 1, 2, 5]

/** The name of a level's audience. */
export function circleName(level: number): string {
  const { everyone, friends, family, work, other } = t.circles
  const names: Readonly<Record<number, string>> = { 0: everyone, 1: friends, 2: family, 5: work }
  return names[level] ?? other(level)
}

/** "Friends, Family". */
export function circleNames(levels: readonly number[]): string {
  return levels.map(circleName).join(', ')
}

/** The levels of the app, and the given ones. */
export function withUsualLevels(levels: Iterable<number>): number[] {
  return [...new Set([...circleLevels, ...levels])].sort((a, b) => a - b)
}
