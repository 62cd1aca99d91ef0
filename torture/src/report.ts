const everyMs = 10_000

/** The plan and the results of one kill, or of one round. */
export interface Seen {
  names: readonly string[]
  counts: Record<string, number>
}

/** Prints the progress from time to time, and a summary at the end. */
export class Report {
  readonly #what: 'kills' | 'rounds'
  readonly #count: number
  readonly #seed: number
  readonly #begun = performance.now()
  readonly #counts: Record<string, number> = {}
  #done = 0
  #toldAt = performance.now()

  constructor(what: 'kills' | 'rounds', count: number, seed: number) {
    this.#what = what
    this.#count = count
    this.#seed = seed
    console.log(`torture: ${count} ${what}, --seed ${seed}`)
  }

  /** Prints what comes next. */
  begin(plan: string): void {
    console.log(`${this.#done + 1} of ${this.#count}, after ${this.#seconds.toFixed(0)} s: ${plan}`)
    this.#toldAt = performance.now()
  }

  add({ names, counts }: Seen): void {
    this.#done++
    for (const name of names) this.#add(name, 1)
    for (const [name, count] of Object.entries(counts)) this.#add(name, count)
    if (performance.now() - this.#toldAt < everyMs) return
    this.#toldAt = performance.now()
    const each = this.#seconds / this.#done
    const left = Math.ceil(each * (this.#count - this.#done))
    console.log(`${this.#done} of ${this.#count} ${this.#what}, ${each.toFixed(2)} s each, ${left} s left`)
  }

  end(): void {
    const seconds = this.#seconds.toFixed(0)
    console.log(`\n${this.#done} ${this.#what} in ${seconds} s (--seed ${this.#seed}): every promise was kept`)
    console.table(this.#sorted)
  }

  fail(why: unknown, where = ''): void {
    const which = `number ${this.#done + 1} of ${this.#count} ${this.#what}`
    console.error(`\n${which} (--seed ${this.#seed}, after ${this.#seconds.toFixed(0)} s) broke a promise:`)
    console.error(why)
    if (where !== '') console.error(where)
    console.table(this.#sorted)
  }

  get #sorted(): Record<string, number> {
    return Object.fromEntries(Object.entries(this.#counts).sort())
  }

  get #seconds(): number {
    return (performance.now() - this.#begun) / 1000
  }

  #add(name: string, count: number): void {
    this.#counts[name] = (this.#counts[name] ?? 0) + count
  }
}
