/** Loaded into a server that is measured: SIGUSR2 collects garbage, so that memory in use is what is needed. */
process.on('SIGUSR2', () => {
  ;(globalThis as { gc?: () => void }).gc?.()
})
