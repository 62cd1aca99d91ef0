import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

export interface EntryPoint {
  /** The name with which an app imports it, such as `@kith/client/react`. */
  readonly name: string
  /** The built type declarations, which an app's TypeScript reads. */
  readonly types: string
}

/** The packages that apps import. `@kith/shared` is a dependency of these: they export everything of it that an app needs. */
const packages = ['client', 'server'] as const

/** Returns every entry point that a package.json names. */
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
