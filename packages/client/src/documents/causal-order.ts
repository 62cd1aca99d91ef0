import type * as Y from 'yjs'

/** A struct of an update, as `Y.decodeUpdate` gives it. */
export type Struct = ReturnType<typeof Y.decodeUpdate>['structs'][number]

/**
 * The structs of an update in an order in which each comes after its client's struct before it and after its origin, so
 * that any beginning of them is an update which builds on nothing that comes later. Structs that wait for each other, which
 * no document makes, come in the order of their clients.
 */
export function inCausalOrder(structs: readonly Struct[]): Struct[] {
  const queues = new Map<number, { structs: Struct[]; next: number; isOnTheWay: boolean }>()
  for (const struct of structs) {
    const queue = queues.get(struct.id.client)
    if (queue) queue.structs.push(struct)
    else queues.set(struct.id.client, { structs: [struct], next: 0, isOnTheWay: false })
  }
  const ordered: Struct[] = []
  for (const client of queues.keys()) {
    // Each goal lies on the way to the one below it.
    const goals = [{ client, clock: Number.POSITIVE_INFINITY }]
    for (let goal = goals.at(-1); goal; goal = goals.at(-1)) {
      const queue = queues.get(goal.client)
      const struct = queue?.structs[queue.next]
      if (!queue || !struct || struct.id.clock > goal.clock) {
        if (queue) queue.isOnTheWay = false
        goals.pop()
        continue
      }
      queue.isOnTheWay = true
      const origin = 'origin' in struct ? (struct as Y.Item).origin : null
      const before = origin && queues.get(origin.client)
      const wanted = before?.structs[before.next]
      if (origin && wanted && !before.isOnTheWay && wanted.id.clock <= origin.clock) {
        goals.push({ client: origin.client, clock: origin.clock })
        continue
      }
      ordered.push(struct)
      queue.next++
    }
  }
  return ordered
}
