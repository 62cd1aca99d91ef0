import type { Round } from './round.ts'

const everyMs = 10_000

/** Tells how far it is, now and then, and at the end what was seen. */
export class Report {
  readonly #kills: number
  readonly #seed: number
  readonly #begun = performance.now()
  readonly #counts: Record<string, number> = {}
  #done = 0
  #toldAt = performance.now()

  constructor(kills: number, seed: number) {
    this.#kills = kills
    this.#seed = seed
    console.log(`torture: ${kills} kills, --seed ${seed}`)
  }

  add({ moment, counts }: Round): void {
    this.#done++
    this.#count(`killed: ${moment}`, 1)
    for (const [name, count] of Object.entries(counts)) this.#count(name, count)
    if (performance.now() - this.#toldAt < everyMs) return
    this.#toldAt = performance.now()
    const perKill = this.#seconds / this.#done
    const left = Math.ceil(perKill * (this.#kills - this.#done))
    console.log(`${this.#done} of ${this.#kills} kills, ${perKill.toFixed(2)} s each, ${left} s left`)
  }

  end(): void {
    console.log(`\n${this.#done} kills in ${this.#seconds.toFixed(0)} s (--seed ${this.#seed}): every promise was kept`)
    console.table(this.#sorted)
  }

  fail(why: unknown, folder: string): void {
    console.error(`\nkill ${this.#done + 1} of ${this.#kills} (--seed ${this.#seed}) broke a promise:`)
    console.error(why)
    console.error(`the data folder: ${folder}; a copy of how the kill left it: ${folder}-copy`)
    console.table(this.#sorted)
  }

  get #sorted(): Record<string, number> {
    return Object.fromEntries(Object.entries(this.#counts).sort())
  }

  get #seconds(): number {
    return (performance.now() - this.#begun) / 1000
  }

  #count(name: string, count: number): void {
    this.#counts[name] = (this.#counts[name] ?? 0) + count
  }
}
