/** What an attacker knows of the server that it attacks. */
export interface Target {
  /** As in `http://127.0.0.1:4180`. */
  readonly url: string
  /** A token for any user: an attacker has accounts of its own. */
  token(user: string): Promise<string>
  /** Erases an account, as the backend does. Resolves with the HTTP status. */
  erase(user: string): Promise<number>
  /** Exports an account, as the backend does. Resolves with the HTTP status. */
  exported(user: string): Promise<number>
}

/** What became of one attack. */
export interface Ending {
  /** What the row of the table says, as in `18 of 18 closed`. */
  text: string
  /** What must end, ended; what must be served, was served. */
  isRight: boolean
}

/** Megabytes that the server may take at its peak, preparations included, and when the attack has been over for a while. */
export interface MemoryCeiling {
  readonly peak: number
  readonly kept: number
}

/** One way in which one user may try to keep a server from serving others. */
export interface Attack {
  /** As the table names it. */
  readonly name: string
  /** Settings of the server, as environment variables. */
  readonly env?: Readonly<Record<string, string>>
  /** The ceiling of the server's memory, where a large roster is derived: another than most attacks'. */
  readonly memory?: MemoryCeiling
  /** Makes what the attack needs. Nothing is measured meanwhile. */
  prepare(target: Target): Promise<unknown>
  /** The attack itself: resolves when it is over. `state` is what `prepare` resolved to. */
  run(target: Target, state: unknown): Promise<Ending>
}

/** Resolves after so many milliseconds. */
export function pause(ms: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, ms))
}

/** Rejects when a promise takes longer than this. */
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

/** Of a roster with 40,000 contacts or more, all that follows is made in memory before it is written at once [D4]. */
export const memoryOfLargeRosters: MemoryCeiling = { peak: 700, kept: 350 }
