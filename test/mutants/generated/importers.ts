import { readdirSync, readFileSync } from 'node:fs'
import { posix } from 'node:path'

/**
 * Returns this source if it is known. Otherwise returns the known sources that import it, directly or through files that are
 * not known. Returns `undefined` if a package exports it without any of them, because any code may then call it.
 */
export function nearest(root: string, file: string, isKnown: (file: string) => boolean): string[] | undefined {
  const found = new Set<string>()
  const passed = new Set<string>()
  const queue = [file]
  for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
    if (isKnown(next)) found.add(next)
    else if (!passed.has(next)) {
      passed.add(next)
      const importers = importersOf(root).get(next)
      if (!importers) return undefined
      queue.push(...importers)
    }
  }
  return [...found]
}

let importers: Map<string, string[]> | undefined

/** Returns, for each source file, the files of its package that import it. */
function importersOf(root: string): ReadonlyMap<string, string[]> {
  if (importers) return importers
  importers = new Map()
  for (const folder of ['shared', 'server', 'client'].map(name => `packages/${name}/src`))
    for (const name of readdirSync(root + folder, { recursive: true, encoding: 'utf8' }))
      if (name.endsWith('.ts')) {
        const from = `${folder}/${name}`
        for (const [, path = ''] of readFileSync(root + from, 'utf8').matchAll(/ from '(\.[^']*)'/g)) {
          const file = posix.join(posix.dirname(from), path)
          importers.set(file, [...(importers.get(file) ?? []), from])
        }
      }
  return importers
}
