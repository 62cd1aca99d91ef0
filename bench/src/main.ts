import { bulkSync } from './bulk-sync.ts'
import { fanOut } from './fan-out.ts'
import { idleMemory } from './idle-memory.ts'
import { indistinguishable } from './indistinguishable/index.ts'
import { pageScroll } from './page-scroll.ts'
import { returning } from './returning.ts'

const benchmarks: Record<string, () => Promise<void>> = {
  'fan-out': fanOut,
  returning,
  'bulk-sync': bulkSync,
  'idle-memory': idleMemory,
  'page-scroll': pageScroll,
  indistinguishable,
}

const names = process.argv.slice(2)
for (const name of names.length > 0 ? names : Object.keys(benchmarks)) {
  const run = benchmarks[name]
  if (!run) throw new Error(`no benchmark is called ${name}; there are ${Object.keys(benchmarks).join(', ')}`)
  await run()
}
