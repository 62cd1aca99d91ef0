import { writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/**
 * Loaded into a server that is measured. On SIGUSR2 it collects garbage, so that only needed memory is in use, and writes how
 * much memory is in use.
 */
process.on('SIGUSR2', () => {
  ;(globalThis as { gc?: () => void }).gc?.()
  const { heapUsed, external, rss } = process.memoryUsage()
  const file = join(tmpdir(), `kith-memory-${process.pid}`)
  writeFileSync(file, `${JSON.stringify({ used: heapUsed + external, resident: rss })}\n`)
})
