/** The attacker's knowledge of the server that it attacks. */
export interface Target {
  /** For example `http://127.0.0.1:4180`. */
  readonly url: string
  /** Returns a token for any user: an attacker has accounts of its own. */
  token(user: string): Promise<string>
  /** Erases an account, as the backend does. Resolves with the HTTP status. */
  erase(user: string): Promise<number>
  /** Exports an account, as the backend does. Resolves with the HTTP status. */
  exported(user: string): Promise<number>
}

/** The outcome of one attack. */
export interface Ending {
  /** The text in the row of the table, for example `18 of 18 closed`. */
  text: string
  /** Whether everything that had to end has ended, and everything that had to be served was served. */
  isRight: boolean
}

/** The megabytes that the server may use: at its peak, preparations included, and some time after the end of the attack. */
export interface MemoryCeiling {
  readonly peak: number
  readonly kept: number
}

/** One way in which one user may try to keep a server from serving other users. */
export interface Attack {
  /** The name in the table. */
  readonly name: string
  /** Settings of the server, as environment variables. */
  readonly env?: Readonly<Record<string, string>>
  /** The ceiling of the server's memory if it differs from most attacks': where a large roster is derived. */
  readonly memory?: MemoryCeiling
  /** Prepares the attack. Nothing is measured meanwhile. */
  prepare(target: Target): Promise<unknown>
  /** Runs the attack. Resolves when it is over. `state` is the value to which `prepare` resolved. */
  run(target: Target, state: unknown): Promise<Ending>
}

/** Resolves after this many milliseconds. */
export function pause(ms: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, ms))
}

/** Resolves with 'late' when a promise takes longer than this. */
export async function within<T>(ms: number, work: Promise<T>): Promise<T | 'late'> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<'late'>(resolve => {
    timer = setTimeout(() => resolve('late'), ms)
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}

/** For a roster of half the size of {@link memoryOfLargeRosters}. */
export const memoryOfLargeRoster: MemoryCeiling = { peak: 450, kept: 300 }

/**
 * For a roster with 40,000 contacts or more, all derived records are created in memory before they are written in one batch
 * [D4].
 */
export const memoryOfLargeRosters: MemoryCeiling = { peak: 700, kept: 350 }
