import { openSync, readSync, writeFileSync } from 'node:fs'

/**
 * Loaded into the server by `--import`. Measures each turn of its event loop in the main thread's own processor time (Linux:
 * `/proc/self/schedstat`), so other work on the machine does not count. On SIGUSR2 it writes the results since the last time.
 */
const file = process.env['KITH_BENCH_TURNS'] ?? ''
/** Opened once, because it is read up to a thousand times a second within the measured time. */
const schedstat = openSync(`/proc/self/task/${process.pid}/schedstat`, 'r')
const text = Buffer.alloc(64)
let longestMs = 0
let above20 = 0
let lastNs = onProcessorNs()

function onProcessorNs(): number {
  const length = readSync(schedstat, text, 0, text.length, 0)
  return Number(text.toString('latin1', 0, length).split(' ', 1)[0])
}

function look(): void {
  const nowNs = onProcessorNs()
  const turnMs = (nowNs - lastNs) / 1e6
  lastNs = nowNs
  longestMs = Math.max(longestMs, turnMs)
  if (turnMs > 20) above20++
  setTimeout(look, 1).unref()
}
setTimeout(look, 1).unref()

process.on('SIGUSR2', () => {
  writeFileSync(file, JSON.stringify({ longestMs: Math.round(longestMs * 10) / 10, above20 }))
  longestMs = 0
  above20 = 0
})
