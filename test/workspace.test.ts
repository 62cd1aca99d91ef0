import { realpathSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const root = fileURLToPath(new URL('..', import.meta.url))
const folders = ['packages/shared', 'packages/server', 'packages/client', 'test']

test('one copy of Yjs serves shared, server, client, the tests and the libraries they build on', () => {
  const copies = folders.flatMap(folder => {
    const here = join(root, folder, 'package.json')
    return [yjsSeenFrom(here), yjsSeenFrom(packageFile(here, 'y-protocols'))]
  })
  copies.push(yjsSeenFrom(packageFile(join(root, 'test/package.json'), 'y-websocket')))

  expect(new Set(copies).size).toBe(1)
})

test('the tests run the sources of the packages, not what was built from them', () => {
  for (const name of ['shared', 'server', 'client']) {
    const resolved = fileURLToPath(import.meta.resolve(`@kith/${name}`))
    expect(resolved).toBe(join(root, 'packages', name, 'src/index.ts'))
  }
})

function yjsSeenFrom(file: string): string {
  return dirname(packageFile(file, 'yjs'))
}

/** The package.json of `name`, as a module beside `file` finds it, with links followed. */
function packageFile(file: string, name: string): string {
  return realpathSync(createRequire(file).resolve(`${name}/package.json`))
}
