import { type Context, createContext, createElement, type ReactElement, type ReactNode, useContext } from 'react'
import type { Kith } from '../api/kith.ts'

const KithContext: Context<Kith | undefined> = createContext<Kith | undefined>(undefined)

export interface KithProviderProps {
  kith: Kith
  children?: ReactNode
}

/** Gives the hooks beneath it their client. Another `kith` switches all of them over; opening and closing are the app's. */
export function KithProvider({ kith, children }: KithProviderProps): ReactElement {
  return createElement(KithContext.Provider, { value: kith }, children)
}

/** The client of the nearest `KithProvider`. Throws a `TypeError` when there is none. */
export function useKith(): Kith {
  const kith = useContext(KithContext)
  if (!kith) throw new TypeError('There is no <KithProvider kith={…}> around this component')
  return kith
}
