import { systemClock } from './clock.ts'

/** Lets the page paint and answer its user before a long piece of work goes on. */
export function nextTurn(): Promise<void> {
  return new Promise(resolve => void systemClock.after(0, resolve))
}
