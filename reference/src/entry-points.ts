import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

export interface EntryPoint {
  /** As an app imports it, such as `@kith/client/react`. */
  readonly name: string
  /** Its types as they were built, which are what an app's TypeScript reads. */
  readonly types: string
}

/** The packages that apps import. `@kith/shared` is theirs: what an app needs of it, they export. */
const packages = ['client', 'server'] as const

/** Every entry point that a package.json names. */
export function entryPoints(): EntryPoint[] {
  return packages.flatMap(folder => {
    const root = new URL(`../../packages/${folder}/`, import.meta.url)
    const { name, exports } = JSON.parse(readFileSync(new URL('package.json', root), 'utf8')) as {
      name: string
      exports: Record<string, { types?: string } | string>
    }
    return Object.entries(exports).flatMap(([path, target]) => {
      const types = typeof target === 'string' ? undefined : target.types
      return types ? [{ name: name + path.slice(1), types: fileURLToPath(new URL(types, root)) }] : []
    })
  })
}
