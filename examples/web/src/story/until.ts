/** Resolves when `isTrue` says so, looking ten times a second; rejects after fifteen seconds. */
export async function until(what: string, isTrue: () => boolean, signal: AbortSignal): Promise<void> {
  const endsAt = performance.now() + 15_000
  while (!isTrue()) {
    signal.throwIfAborted()
    if (performance.now() > endsAt) throw new Error(`This did not come true within 15 seconds: ${what}`)
    await new Promise(resolve => setTimeout(resolve, 100))
  }
}
