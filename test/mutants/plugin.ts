import { fileURLToPath } from 'node:url'
import type { Plugin } from 'vitest/config'
import { mutants } from './list/index.ts'
import { mutate } from './mutate.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** Loads the sources as the mutant of this id has them, as if the mistake had been made. */
export function mutation(id: string): Plugin {
  const mutant = mutants.find(one => one.id === id)
  if (!mutant) throw new Error(`There is no mutant ${id}`)
  return {
    name: 'kith-mutant',
    enforce: 'pre',
    transform(source, module) {
      const changes = mutant.changes.filter(({ file }) => root + file === module)
      return changes.length > 0 ? changes.reduce(mutate, source) : undefined
    },
  }
}
