import { isLevel } from '@kith/shared'
import type { LevelNames } from './app-types.ts'
import { checkIsObject, wrong } from './arguments.ts'

/** Checks the option `levels` of `openKith`, and returns a copy of it. */
export function checkLevelNames(levels: unknown): LevelNames {
  checkIsObject(levels, 'levels')
  const names = Object.entries(levels as object)
  for (const [name, level] of names) {
    if (!isLevel(level)) throw wrong(`levels.${name}`, 'an integer from 0 to 255', level)
  }
  return Object.fromEntries(names)
}

/** Returns the number of a level that is given by its number or its name. */
export function checkLevel(value: unknown, names: LevelNames, argument = 'level'): number {
  if (isLevel(value)) return value
  if (typeof value === 'string' && Object.hasOwn(names, value)) return names[value] as number
  const known = Object.keys(names).map(name => `'${name}'`)
  throw wrong(argument, ['an integer from 0 to 255', ...known].join(' or '), value)
}

/** Returns the levels in ascending order without duplicates. Returns `null` unchanged. */
export function checkLevels(value: unknown, names: LevelNames): number[] | null {
  if (value === null) return null
  if (!Array.isArray(value)) throw wrong('levels', 'an array of levels, or null', value)
  // A copy has no holes: each hole is `undefined`, which is no level.
  const levels = [...value].map((level, index) => checkLevel(level, names, `levels[${index}]`))
  return [...new Set(levels)].sort((a, b) => a - b)
}

/** A level that is `undefined` or `null` is a mistake of the app, and must not make a value public. */
export function checkLevelOption(options: object = {}, names: LevelNames): number {
  checkIsObject(options, 'options', ['level'])
  return 'level' in options ? checkLevel(options.level, names) : 0
}
