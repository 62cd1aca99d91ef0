import { writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/**
 * Loaded into a server that is measured: SIGUSR2 collects garbage, so that memory in use is what is needed, and writes how
 * much that is.
 */
process.on('SIGUSR2', () => {
  ;(globalThis as { gc?: () => void }).gc?.()
  const { heapUsed, external, rss } = process.memoryUsage()
  const file = join(tmpdir(), `kith-memory-${process.pid}`)
  writeFileSync(file, `${JSON.stringify({ used: heapUsed + external, resident: rss })}\n`)
})
