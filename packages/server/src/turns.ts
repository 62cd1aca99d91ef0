import { pace } from './pace.ts'

/** Resolves when everything that was ready to run has had its turn: sockets, timers, results from the disk. */
export function othersTurn(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve))
}

/** Lets other work run before the next slice of long work. */
export type Turn = () => Promise<void>

/** Slices of all users' long work that have not begun. The first one begins in the next turn of the event loop. */
const waiting: (() => void)[] = []

/**
 * Resolves in a turn of the event loop in which no other slice begins. If every user's long work ran a slice in every turn, the
 * duration of a turn would grow with the number of such users [S3].
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
  // The duration of the slice is known only in a later turn.
  if (waiting.length > 0) setImmediate(pace.isOn ? schedule : beginNext)
}

/** A look-up in memory is one step. This many take about 5 ms. */
const stepsInSlice = 10_000

/**
 * Runs work for which all commits wait, in slices. The work yields the number of steps that it has done since the last yield.
 * The first slice runs immediately, so if there is little work, it is done when this returns `undefined`. Otherwise the
 * returned promise resolves when all of it is done. The slices do not queue behind users' long work, because all commits would
 * wait for that too. The promise never rejects: an error of the work ends the work and is passed to `failed`, before those that
 * wait for the work continue.
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
 * Cuts work that grows with the data of one user into slices. Between them all other work gets its turn, so no user blocks the
 * event loop for long [S3]. Counts steps instead of time, so that the same work is cut at the same places.
 */
export class Turns {
  #stepsInTurn: number
  #turn: Turn
  #left: number

  /**
   * `stepsInTurn`: the number of steps in one slice, about 2 ms. Work for which all others wait passes {@link othersTurn} as
   * `turn`.
   */
  constructor(stepsInTurn: number, turn: Turn = turnForSlice) {
    this.#stepsInTurn = stepsInTurn
    this.#turn = turn
    this.#left = stepsInTurn
  }

  /** Counts a step. Returns true if it is time to `await pass()`. */
  isOver(): boolean {
    this.#left--
    return this.#left <= 0
  }

  async pass(): Promise<void> {
    this.#left = this.#stepsInTurn
    await this.#turn()
  }
}
