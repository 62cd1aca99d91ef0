import { fileURLToPath } from 'node:url'
import type { Plugin } from 'vitest/config'
import { applied } from './generated/generate.ts'
import { probed } from './generated/probes.ts'
import { targetFiles } from './generated/targets.ts'
import { mutants } from './list/index.ts'
import { mutate } from './mutate.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

/**
 * Loads the sources with the mistake of the mutant that `KITH_MUTANT` names. The variable may change while vitest runs: sources
 * that are loaded after a change use the new value.
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

/** Loads one source with a generated mistake. `KITH_GENERATED` contains its file, place and replacement, as JSON. */
export function generatedMutation(): Plugin {
  return {
    name: 'kith-generated-mutant',
    enforce: 'pre',
    transform(source, module) {
      const change = process.env['KITH_GENERATED']
      if (!change || !module.startsWith(`${root}packages/`)) return undefined
      const { file, ...edit } = JSON.parse(change) as { file: string } & Parameters<typeof applied>[1]
      return root + file === module ? applied(source, edit) : undefined
    },
  }
}

/** While `KITH_PROBES` is set, the sources for which mutants are generated record which of their functions were called. */
export function probes(): Plugin {
  const files = process.env['KITH_PROBES'] ? new Set(targetFiles(root)) : undefined
  return {
    name: 'kith-probes',
    enforce: 'pre',
    transform(source, module) {
      if (!files || !module.startsWith(root)) return undefined
      const file = module.slice(root.length)
      return files.has(file) ? probed(file, source) : undefined
    },
  }
}
