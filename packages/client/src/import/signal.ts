import { wrong } from '../api/arguments.ts'

/** Throws a `TypeError` unless this is a signal or `undefined`. */
export function checkSignal(signal: unknown): void {
  if (signal === undefined || typeof (signal as AbortSignal | null)?.throwIfAborted === 'function') return
  throw wrong('signal', 'an AbortSignal', signal)
}
