import type { KithCore } from './core.ts'

const cores = new WeakMap<object, KithCore>()

/** Returns the core of a client, for the code of this package and for its tests. It is not exported to apps. */
export function coreOf(kith: object): KithCore {
  return cores.get(kith) as KithCore
}

/** To be called by the constructor of Kith alone. */
export function setCore(kith: object, core: KithCore): void {
  cores.set(kith, core)
}
