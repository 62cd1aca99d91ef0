import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { convert } from './convert.ts'
import { entryPoints } from './entry-points.ts'
import { gapsIn } from './gaps.ts'

/**
 * Writes docs/reference from the doc comments of all exports of the packages: `npm run reference`. With `--check`,
 * docs/reference stays unchanged, and the command fails if a page differs from the doc comments. It fails in any case if a doc
 * comment is incomplete.
 */
const isCheck = process.argv.includes('--check')
const kept = fileURLToPath(new URL('../../docs/reference/', import.meta.url))
const out = isCheck ? fileURLToPath(new URL('../dist/pages/', import.meta.url)) : kept

const { project, write } = await convert(entryPoints(), out)
const gaps = gapsIn(project)
for (const { entryPoint, name, lacks } of gaps) console.error(`${entryPoint}: ${name} does not say ${lacks}`)
rmSync(out, { recursive: true, force: true })
await write()
const stale = isCheck ? differences() : []
for (const page of stale)
  console.error(`docs/reference/${page} is not what the doc comments give: run \`npm run reference\``)
const exported = (project.children ?? []).reduce((sum, { children }) => sum + (children?.length ?? 0), 0)
console.log(
  `${exported} exports of ${project.children?.length} entry points, ${gaps.length} gaps in their doc comments`,
)
if (gaps.length > 0 || stale.length > 0) process.exitCode = 1

function differences(): string[] {
  const [before, now] = [pagesIn(kept), pagesIn(out)]
  const names = new Set([...before.keys(), ...now.keys()])
  return [...names].filter(name => before.get(name) !== now.get(name)).sort()
}

function pagesIn(folder: string): Map<string, string> {
  const pages = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(name => name.endsWith('.md'))
  return new Map(pages.map(name => [name, readFileSync(folder + name, 'utf8')]))
}
