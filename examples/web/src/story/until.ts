import { t } from '../texts/texts.ts'

/** Resolves when `isTrue` returns `true`, checking ten times a second; rejects after fifteen seconds. */
export async function until(what: string, isTrue: () => boolean, signal: AbortSignal): Promise<void> {
  const endsAt = performance.now() + 15_000
  while (!isTrue()) {
    signal.throwIfAborted()
    if (performance.now() > endsAt) throw new Error(t.story.late(what))
    await pause(100)
  }
}

export function pause(ms: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, ms))
}
