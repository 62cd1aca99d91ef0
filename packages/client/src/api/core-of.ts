import type { KithCore } from './core.ts'
import type { Kith } from './kith.ts'

const cores = new WeakMap<Kith, KithCore>()

/** Returns what stands behind a client, for the code of this package and for its tests. It is not exported to apps. */
export function coreOf(kith: Kith): KithCore {
  return cores.get(kith) as KithCore
}

/** To be called by the constructor of Kith alone. */
export function setCore(kith: Kith, core: KithCore): void {
  cores.set(kith, core)
}
