import { fileURLToPath } from 'node:url'
import type { Plugin } from 'vitest/config'
import { mutants } from './list/index.ts'
import type { Mutant } from './mutant.ts'
import { mutate } from './mutate.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const mark = '?mutant='

/**
 * Lets a test import a module with a mistake, beside the unchanged sources. `import('./stories.ts?mutant=ID')` loads that
 * module, the test modules that it imports, and the mutated versions of the packages that the mutant concerns.
 */
export function mutatedModules(): Plugin {
  return {
    name: 'kith-mutated-modules',
    enforce: 'pre',
    async resolveId(source, importer, options) {
      const id = importer?.split(mark)[1]
      if (id === undefined) return undefined
      const resolved = await this.resolve(source, importer, { ...options, skipSelf: true })
      if (!resolved || !isConcerned(resolved.id, mutantNamed(id))) return resolved
      return { ...resolved, id: resolved.id + mark + id }
    },
    transform(source, module) {
      const [path, id] = module.split(mark)
      if (id === undefined) return undefined
      const changes = mutantNamed(id).changes.filter(({ file }) => root + file === path)
      return changes.length > 0 ? changes.reduce(mutate, source) : undefined
    },
  }
}

function mutantNamed(id: string): Mutant {
  const mutant = mutants.find(one => one.id === id)
  if (!mutant) throw new Error(`There is no mutant ${id}`)
  return mutant
}

/** Returns whether a file may import mutated code. Loading the other files again would be useless. */
function isConcerned(path: string, { changes }: Mutant): boolean {
  if (!path.startsWith(root) || path.includes('/node_modules/')) return false
  const folder = /^packages\/(\w+)\//.exec(path.slice(root.length))?.[1]
  return folder === undefined || changes.some(({ file }) => file.startsWith(`packages/${folder}/`) || isShared(file))
}

function isShared(file: string): boolean {
  return file.startsWith('packages/shared/')
}
