import { systemClock } from './clock.ts'

/** Ends the current turn of the event loop, so that the page can paint and react to its user during a long piece of work. */
export function nextTurn(): Promise<void> {
  return new Promise(resolve => void systemClock.after(0, resolve))
}
