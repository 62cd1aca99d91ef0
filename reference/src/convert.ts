import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { Application, type ProjectReflection, TSConfigReader } from 'typedoc'
import type { EntryPoint } from './entry-points.ts'

export interface Converted {
  readonly project: ProjectReflection
  /** Writes a Markdown page for each entry point. */
  write(): Promise<void>
}

/** Reads the types of the entry points, with their doc comments. `out` is the folder for the pages. */
export async function convert(points: readonly EntryPoint[], out: string): Promise<Converted> {
  const here = fileURLToPath(new URL('..', import.meta.url))
  const folder = await mkdtemp(`${here}dist/tsconfig-`)
  try {
    const tsconfig = `${folder}/tsconfig.json`
    const files = points.map(({ types }) => types)
    await writeFile(tsconfig, JSON.stringify({ compilerOptions, files }))
    const app = await Application.bootstrapWithPlugins(
      {
        ...{
          entryPoints: files,
          tsconfig,
          plugin: ['typedoc-plugin-markdown'],
          logLevel: 'Warn',
          outputs: [{ name: 'markdown', path: out }],
        },
        ...{
          excludeExternals: true,
          excludeInternal: true,
          excludePrivate: true,
          disableSources: true,
          readme: 'none',
        },
        ...{ name: 'API reference', sort: ['source-order'], validation: { notExported: false } },
        ...{ router: 'module', hideBreadcrumbs: true, parametersFormat: 'table', hidePageHeader: true },
      } as Parameters<typeof Application.bootstrapWithPlugins>[0],
      [new TSConfigReader()],
    )
    const project = await app.convert()
    if (!project || app.logger.hasErrors())
      throw new Error('TypeDoc could not read the types: run `npm run setup` first')
    for (const module of project.children ?? []) {
      const point = points.find(({ types }) => sameModule(types, module.name))
      if (point) module.name = point.name
    }
    return { project, write: () => app.generateOutputs(project) }
  } finally {
    await rm(folder, { recursive: true })
  }
}

const compilerOptions = {
  ...{ module: 'nodenext', moduleResolution: 'nodenext', target: 'es2022', strict: true, skipLibCheck: true },
  ...{ lib: ['es2022', 'dom', 'dom.iterable', 'dom.asynciterable'], exactOptionalPropertyTypes: true, noEmit: true },
  types: ['node'],
}

/** TypeDoc names a module by its path below the folder that all have in common, without `index`. */
function sameModule(types: string, name: string): boolean {
  return types.replace(/(\/index)?\.d\.ts$/, '').endsWith(`/${name}`)
}
