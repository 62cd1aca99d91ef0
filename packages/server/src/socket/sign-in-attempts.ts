import type { Refusal } from './refusal.ts'

interface Attempt {
  readonly user: string
  refusal: Refusal | undefined
  end(): void
}

/** Sign-ins in progress. Each of them has a socket, so it counts for its address like a session. */
export class SignInAttempts {
  readonly #attempts: Set<Attempt> = new Set()
  readonly #countByAddress: Map<string, number> = new Map()

  /** Returns the number of sign-ins in progress from an address. */
  countOf(address: string): number {
    return this.#countByAddress.get(address) ?? 0
  }

  /** Resolves to the result of `check`, or to the refusal with which the sign-in is ended before. */
  async run<T>({ user, address }: { user: string; address: string }, check: Promise<T>): Promise<T | Refusal> {
    const attempt: Attempt = { user, refusal: undefined, end: () => undefined }
    const ended = new Promise<void>(resolve => {
      attempt.end = resolve
    })
    this.#attempts.add(attempt)
    this.#countByAddress.set(address, this.countOf(address) + 1)
    try {
      const result = await Promise.race([check, ended])
      // It may have been ended after the check, too.
      return attempt.refusal ?? (result as T)
    } finally {
      this.#attempts.delete(attempt)
      const count = this.countOf(address) - 1
      if (count === 0) this.#countByAddress.delete(address)
      else this.#countByAddress.set(address, count)
    }
  }

  /** Ends the sign-ins of a user, or all of them. */
  end(refusal: Refusal, user?: string): void {
    for (const attempt of this.#attempts) {
      if (user !== undefined && attempt.user !== user) continue
      attempt.refusal = refusal
      attempt.end()
    }
  }
}
