import { pace } from './pace.ts'

/** Resolves when everything that was ready to run has had its turn: sockets, timers, answers of the disk. */
export function othersTurn(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve))
}

/** Lets others have their turn before the next slice of long work. */
export type Turn = () => Promise<void>

/** Slices of all users' long work that have not begun, the first of them in the next turn of the event loop. */
const waiting: (() => void)[] = []

/**
 * Resolves in a turn of the event loop in which no other slice begins. A slice of each user's long work in every turn would
 * make turns as long as there are users with such work [S3].
 */
export function turnForSlice(): Promise<void> {
  return new Promise(resolve => {
    waiting.push(resolve)
    if (waiting.length === 1) schedule()
  })
}

function schedule(): void {
  const restMs = pace.restMs()
  if (restMs > 0) setTimeout(beginNext, restMs)
  else setImmediate(beginNext)
}

function beginNext(): void {
  pace.noteSliceBegins()
  waiting.shift()?.()
  // How long the slice takes is known only in another turn.
  if (waiting.length > 0) setImmediate(pace.isOn ? schedule : beginNext)
}

/** A look-up in memory is one step; so many take about 5 ms. */
const stepsInSlice = 10_000

/**
 * Work that all commits wait for, in slices: it yields how many steps it has done since it last did. The first slice is done
 * at once, so little work is done when this returns `undefined`; else the promise resolves when all of it is. Its slices do
 * not stand in the line of users' long work, or all commits would wait for that too. The promise never rejects: what the work
 * throws ends the work and goes to `failed`, before those that wait for the work go on.
 */
export function inSlices(work: Iterator<number>, failed: (error: unknown) => void): Promise<void> | undefined {
  return trySlice(work, failed) === 'done' ? undefined : doRest(work, failed)
}

async function doRest(work: Iterator<number>, failed: (error: unknown) => void): Promise<void> {
  do await othersTurn()
  while (trySlice(work, failed) === 'more')
}

function trySlice(work: Iterator<number>, failed: (error: unknown) => void): 'done' | 'more' {
  try {
    return doSlice(work)
  } catch (error) {
    failed(error)
    return 'done'
  }
}

function doSlice(work: Iterator<number>): 'done' | 'more' {
  let left = stepsInSlice
  for (let step = work.next(); !step.done; step = work.next()) {
    left -= step.value
    if (left <= 0) return 'more'
  }
  return 'done'
}

/**
 * Cuts work that grows with what one user owns into slices: between them all others have their turn, so no user holds the
 * event loop for long [S3]. Counts steps instead of time, so that the same work is cut at the same places.
 */
export class Turns {
  #stepsInTurn: number
  #turn: Turn
  #left: number

  /** So many steps go without a pause: about 2 ms' worth. Work that all others wait for takes {@link othersTurn} for `turn`. */
  constructor(stepsInTurn: number, turn: Turn = turnForSlice) {
    this.#stepsInTurn = stepsInTurn
    this.#turn = turn
    this.#left = stepsInTurn
  }

  /** Counts a step. True: it's time to `await pass()`. */
  isOver(): boolean {
    this.#left--
    return this.#left <= 0
  }

  async pass(): Promise<void> {
    this.#left = this.#stepsInTurn
    await this.#turn()
  }
}
