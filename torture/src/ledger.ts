/** One edit: its change of each key that it touches; `undefined` removes the key. */
export interface Edit {
  what: string
  changes: ReadonlyMap<string, string | undefined>
}

export type State = ReadonlyMap<string, string>

/**
 * The edits of one writer to keys that no other writer changes, and how many of them were acknowledged. The state on the
 * server's disk must be the state after some number of these edits, in their order. No acknowledged edit may be missing
 * [D2][D3], and no edit may be present without those before it [V6].
 */
export class Ledger {
  readonly writer: string
  #base = new Map<string, string>()
  /** Edits since `#base`. */
  #edits: Edit[] = []
  #forgotten = 0
  #acknowledged = 0

  constructor(writer: string) {
    this.writer = writer
  }

  /** The number of edits ever begun. */
  get count(): number {
    return this.#forgotten + this.#edits.length
  }

  get acknowledged(): number {
    return this.#acknowledged
  }

  /** The state with every edit that was begun. */
  get state(): State {
    return this.#after(this.#edits.length)
  }

  /** Must be called before the edit is made: from then on, the edit may be on the disk. */
  begin(edit: Edit): void {
    this.#edits.push(edit)
  }

  /** The first `count` edits are promised to be on the disk. */
  acknowledge(count: number): void {
    this.#acknowledged = Math.max(this.#acknowledged, count)
    const settled = this.#acknowledged - this.#forgotten
    for (const edit of this.#edits.splice(0, settled)) apply(this.#base, edit)
    this.#forgotten += settled
  }

  /** For a writer that does not repeat unanswered edits: the found state is taken over. */
  settle(found: State): void {
    this.acknowledge(this.count)
    this.#base = new Map(found)
  }

  /** Returns what is wrong with the state found on the disk; `undefined` if it keeps every promise. */
  breach(found: State): string | undefined {
    const state = new Map(this.#base)
    if (isEqual(state, found)) return undefined
    let nearest = { count: 0, difference: differences(state, found) }
    for (const [index, edit] of this.#edits.entries()) {
      apply(state, edit)
      if (isEqual(state, found)) return undefined
      const difference = differences(state, found)
      if (difference.length <= nearest.difference.length) nearest = { count: index + 1, difference }
    }
    return [
      `${this.writer}: ${this.#acknowledged} of ${this.count} edits were acknowledged, and what is found is the state after none of them`,
      `  promised and found: ${differences(this.#base, found)}`,
      `  after ${this.#forgotten + nearest.count}, which is the nearest, and found: ${nearest.difference}`,
      `  not acknowledged: ${this.#edits.map(({ what }) => what).join('; ') || 'nothing'}`,
    ].join('\n')
  }

  #after(count: number): Map<string, string> {
    const state = new Map(this.#base)
    for (const edit of this.#edits.slice(0, count)) apply(state, edit)
    return state
  }
}

function apply(state: Map<string, string>, { changes }: Edit): void {
  for (const [key, value] of changes) {
    if (value === undefined) state.delete(key)
    else state.set(key, value)
  }
}

function isEqual(a: State, b: State): boolean {
  return a.size === b.size && [...a].every(([key, value]) => b.get(key) === value)
}

/** Returns the differences in words; empty if there are none. */
export function differences(a: State, b: State): string {
  const keys = [...new Set([...a.keys(), ...b.keys()])].filter(key => a.get(key) !== b.get(key))
  const short = (value: string | undefined): string => (value === undefined ? 'absent' : value.slice(0, 120))
  return keys.map(key => `${key} is ${short(a.get(key))} and ${short(b.get(key))}`).join('; ')
}
