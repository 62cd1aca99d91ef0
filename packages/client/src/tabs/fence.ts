import type { Tables } from '../database/contract.ts'
import type { Store } from '../database/store.ts'
import { SteppedDown } from './stepped-down.ts'

/**
 * A store for the connection of one tab. Once another tab has taken over, its work is not done, and rejects with `SteppedDown`.
 * Each transaction checks this itself, so pending work of an outdated connection never overwrites what a newer one has stored.
 */
export function fenced<S extends Store>(store: S, isHolder: (db: Tables) => Promise<boolean>): S {
  const work: Store['work'] = async body => {
    let isOut = false
    try {
      return await store.work(async piece => {
        isOut = !(await isHolder(piece.db))
        if (isOut) throw new SteppedDown()
        return body(piece)
      })
    } catch (error) {
      throw isOut ? new SteppedDown() : error
    }
  }
  return new Proxy(store, {
    get(target, name) {
      if (name === 'work') return work
      const value: unknown = Reflect.get(target, name, target)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}
