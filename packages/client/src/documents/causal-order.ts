import type * as Y from 'yjs'

/** A struct of an update, as `Y.decodeUpdate` gives it. */
export type Struct = ReturnType<typeof Y.decodeUpdate>['structs'][number]

/**
 * Returns the structs of an update in causal order: each one after the previous struct of its client and after its origin. So
 * any beginning of them is an update that does not build on later structs. Structs that wait for each other, which no document
 * produces, come in the order of their clients.
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
    // Each goal is a precondition of the one below it in the stack.
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
