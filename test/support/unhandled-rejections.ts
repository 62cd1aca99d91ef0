import { onTestFinished } from 'vitest'

/** Collects unhandled rejections until the test has finished. Otherwise they would fail the test. */
export function unhandledRejections(): unknown[] {
  const errors: unknown[] = []
  const before = process.listeners('unhandledRejection')
  const note = (error: unknown): void => void errors.push(error)
  process.removeAllListeners('unhandledRejection')
  process.on('unhandledRejection', note)
  onTestFinished(() => {
    process.off('unhandledRejection', note)
    for (const listener of before) process.on('unhandledRejection', listener)
  })
  return errors
}
