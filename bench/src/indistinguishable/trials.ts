/** Waits in a busy loop, because a timer would be a millisecond late. */
export async function spin(ms: number): Promise<void> {
  const until = performance.now() + ms
  while (performance.now() < until) await new Promise(resolve => setImmediate(resolve))
}

export function shuffled<T>(list: T[]): T[] {
  for (let last = list.length - 1; last > 0; last--) {
    const index = Math.floor(Math.random() * (last + 1))
    ;[list[last], list[index]] = [list[index] as T, list[last] as T]
  }
  return list
}
