/** Returns this many elements, determined by the seed alone. */
export function sample<T>(all: readonly T[], count: number, seed: number): T[] {
  const left = [...all]
  const chosen: T[] = []
  let state = seed >>> 0
  while (chosen.length < count && left.length > 0) {
    // Mulberry32 (Ettinger, 2017).
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    const fraction = ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
    chosen.push(...left.splice(Math.floor(fraction * left.length), 1))
  }
  return chosen
}

/** The 95 % confidence interval of a proportion, from that of a sample (Wilson, 1927). */
export function interval(hits: number, count: number): [number, number] {
  if (count === 0) return [0, 1]
  const z = 1.96
  const share = hits / count
  const middle = share + (z * z) / (2 * count)
  const half = z * Math.sqrt((share * (1 - share)) / count + (z * z) / (4 * count * count))
  const scale = 1 + (z * z) / count
  return [(middle - half) / scale, (middle + half) / scale]
}
