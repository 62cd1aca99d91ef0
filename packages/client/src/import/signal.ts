export function checkSignal(signal: unknown): void {
  if (signal === undefined || typeof (signal as AbortSignal | null)?.throwIfAborted === 'function') return
  throw new TypeError('signal must be an AbortSignal')
}
