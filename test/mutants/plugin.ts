import { fileURLToPath } from 'node:url'
import type { Plugin } from 'vitest/config'
import { mutants } from './list/index.ts'
import { mutate } from './mutate.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

/**
 * Loads the sources as the mutant that `KITH_MUTANT` names has them, as if the mistake had been made. The variable may
 * change while vitest runs: what is loaded after that is as it says then.
 */
export function mutation(): Plugin {
  return {
    name: 'kith-mutant',
    enforce: 'pre',
    transform(source, module) {
      const id = process.env['KITH_MUTANT']
      if (!id) return undefined
      const mutant = mutants.find(one => one.id === id)
      if (!mutant) throw new Error(`There is no mutant ${id}`)
      const changes = mutant.changes.filter(({ file }) => root + file === module)
      return changes.length > 0 ? changes.reduce(mutate, source) : undefined
    },
  }
}
