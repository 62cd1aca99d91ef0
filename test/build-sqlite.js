// Has better-sqlite3 fetch its binary, or compile it, which takes a minute: only tests need it, so installing does not wait
// for it.
import { execFileSync } from 'node:child_process'
import { existsSync, realpathSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

const require = createRequire(import.meta.url)
const folder = dirname(require.resolve('better-sqlite3/package.json'))

if (!existsSync(join(folder, 'build/Release/better_sqlite3.node'))) {
  // Where Node's headers lie beside it, they need not be fetched.
  const nodeFolder = dirname(dirname(realpathSync(process.execPath)))
  const hasHeaders = existsSync(join(nodeFolder, 'include/node/node.h'))
  console.log('better-sqlite3: its binary is fetched or compiled')
  execFileSync('npm', ['run', 'install'], {
    cwd: folder,
    stdio: 'inherit',
    env: { ...process.env, ...(hasHeaders && { npm_config_nodedir: nodeFolder }) },
  })
}
