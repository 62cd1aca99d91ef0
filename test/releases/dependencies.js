import { existsSync, mkdirSync, readdirSync, realpathSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const packages = fileURLToPath(new URL('../../packages/', import.meta.url))

/** Gives the programs in a folder the libraries of this checkout, so that what they share, such as Yjs, is one copy. */
export function linkDependencies(folder) {
  for (const name of ['server', 'client', 'shared']) {
    const from = join(packages, name, 'node_modules')
    for (const one of readdirSync(from).flatMap(entry => withScope(from, entry))) {
      const target = join(folder, 'node_modules', one)
      if (existsSync(target) || one.startsWith('@kith')) continue
      mkdirSync(join(target, '..'), { recursive: true })
      symlinkSync(realpathSync(join(from, one)), target)
    }
  }
}

function withScope(from, entry) {
  if (entry.startsWith('.')) return []
  return entry.startsWith('@') ? readdirSync(join(from, entry)).map(name => `${entry}/${name}`) : [entry]
}
