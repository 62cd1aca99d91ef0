import { type FlatMaps, KithError, parseNonceKey } from '@kith/shared'

/** The privacy settings of 0.1.0. Servers of wire 1 do not say which ones they enforce: these, and never a later one. */
const enforcedByWire1 = ['contactsOnly', 'nobody', 'messagesContactsOnly', 'messagesNobody', 'hidePresence']

/**
 * Reports each privacy setting in the roster that the server cannot enforce: the server is older than the app that set it, on
 * this device or on another one. The setting stays in the roster, and takes effect as soon as the server knows it.
 */
export class PrivacyCheck {
  readonly #failed: (error: KithError) => void
  #enforced: ReadonlySet<string> = new Set()
  readonly #told: Set<string> = new Set()

  constructor(failed: (error: KithError) => void) {
    this.#failed = failed
  }

  /** The settings that the server enforces, if it says so. */
  welcomed(names: readonly string[] = enforcedByWire1): void {
    this.#enforced = new Set(names)
    for (const name of names) this.#told.delete(name)
  }

  check(roster: FlatMaps): void {
    for (const [key] of roster.entries('privacy')) {
      const name = parseNonceKey(key)?.name
      if (name === undefined || this.#enforced.has(name) || this.#told.has(name)) continue
      this.#told.add(name)
      this.#failed(
        new KithError(
          'upgrade-required',
          `This server does not enforce the privacy setting ${name} yet: what it hides is shown until the server is upgraded`,
        ),
      )
    }
  }
}
