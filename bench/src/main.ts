import { bulkSync } from './bulk-sync.ts'
import { cluster } from './cluster/index.ts'
import { fanOut } from './fan-out.ts'
import { idleMemory } from './idle-memory.ts'
import { imports } from './imports.ts'
import { indistinguishable } from './indistinguishable/index.ts'
import { overload } from './overload.ts'
import { pageLoad } from './page-load.ts'
import { pageScroll } from './page-scroll.ts'
import { returning } from './returning.ts'

const benchmarks: Record<string, (names: readonly string[]) => Promise<void>> = {
  'fan-out': fanOut,
  returning,
  'bulk-sync': bulkSync,
  'idle-memory': idleMemory,
  imports,
  'page-scroll': pageScroll,
  'page-load': pageLoad,
  indistinguishable,
  overload,
  cluster,
}

const [first, ...others] = process.argv.slice(2)
if (first === 'overload') await overload(others)
else {
  const names = first === undefined ? Object.keys(benchmarks).filter(name => name !== 'cluster') : [first, ...others]
  for (const name of names) {
    const run = benchmarks[name]
    if (!run) throw new Error(`no benchmark is called ${name}; there are ${Object.keys(benchmarks).join(', ')}`)
    await run([])
  }
}
