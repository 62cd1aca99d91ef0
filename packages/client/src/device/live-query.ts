import type { Tables } from '../database/contract.ts'
import type { QueryObserver } from '../database/query-observer.ts'
import type { Device } from './device.ts'
import { isLoss } from './loss.ts'

/** The successive lives of a database. */
export interface Lives {
  /** The open device, if there is one now. */
  readonly present: Device | undefined
  onOpen(listener: () => void): () => void
}

/** The maximum number of attempts of a query in one life, if only the query fails. */
const mostAttempts = 10

/** Passes the result of a query to `observer`, whenever it changes and in each life. Returns a function that stops it. */
export function followLives<T>(
  lives: Lives,
  query: (db: Tables) => Promise<T>,
  observer: QueryObserver<T>,
): () => void {
  let stopAsking: () => void = () => undefined
  let isStopped = false
  const ask = (left: number): void => {
    const device = lives.present
    stopAsking()
    if (!device) return
    const failed = async (error: unknown): Promise<void> => {
      const mayBeLoss = isLoss(error, device.db)
      if ((mayBeLoss && !(await device.verify())) || isStopped) return
      if (left > 0 && mayBeLoss) ask(left - 1)
      else observer.error(error)
    }
    stopAsking = device.db.live(query, { next: value => observer.next(value), error: failed })
  }
  ask(mostAttempts)
  const stopFollowing = lives.onOpen(() => ask(mostAttempts))
  return () => {
    isStopped = true
    stopFollowing()
    stopAsking()
  }
}
