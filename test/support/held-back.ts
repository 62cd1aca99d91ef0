/** Reads all items first, and yields them after `untilReleased` resolves. */
export async function* heldBack<T>(items: AsyncIterable<T>, untilReleased: () => Promise<void>): AsyncIterable<T> {
  const all: T[] = []
  for await (const one of items) all.push(one)
  await untilReleased()
  yield* all
}
