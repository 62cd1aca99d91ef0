import type { Fields } from '@kith/shared'
import { type Context, createContext, createElement, type ReactElement, type ReactNode, useContext } from 'react'
import type { AnyFields, FieldTypes } from '../api/app-types.ts'
import type { Kith } from '../api/kith.ts'

const KithContext: Context<Kith | undefined> = createContext<Kith | undefined>(undefined)

/** The properties of `KithProvider`. */
export interface KithProviderProps {
  kith: Kith<AnyFields, AnyFields>
  children?: ReactNode
}

/**
 * Provides the client for the hooks beneath it. Another `kith` switches all of them over; the app opens and closes clients.
 *
 * @param props - The client, and the components that use it.
 * @returns The element for React.
 */
export function KithProvider(props: KithProviderProps): ReactElement {
  const { kith, children } = props
  return createElement(KithContext.Provider, { value: kith }, children)
}

/**
 * Returns the client of the nearest `KithProvider`, typed with the app's fields and levels. Throws a `TypeError` when there is
 * none.
 */
export function useKith<F extends FieldTypes<F> = Fields, L extends string = never>(): Kith<F, L> {
  const kith = useContext(KithContext)
  if (!kith) throw new TypeError('There is no <KithProvider kith={…}> around this component')
  return kith as unknown as Kith<F, L>
}
