import type * as Y from 'yjs'

/**
 * A document whose history outweighs its content is founded anew: the same entries, written by one client of their own, the
 * *founder*. That client's id is above those of all devices, and names the generation: so any state vector says of which
 * generation it is. The first generation has no founder; its number is 0.
 */
const idsPerGeneration = 2 ** 32
const mostGenerations = 2 ** 20

/** The root map that only a founding writes: client id → the clock at which the generation of that client ended. */
export const retiredRoot = 'retired'
/** Beyond this the clients of the oldest generations are forgotten. */
export const mostRetired = 512

/** The clients of earlier generations of a document, as far as they are known: client id → the clock at their end. */
export type Retired = ReadonlyMap<number, number>

export function isFounder(client: number): boolean {
  return client >= idsPerGeneration
}

/** The founder among the clients of a document or a state vector; 0 for the first generation. */
export function founderOf(clients: Iterable<number>): number {
  let founder = 0
  for (const client of clients) if (isFounder(client)) founder = Math.max(founder, client)
  return founder
}

/** How many times a document was founded anew. */
export function generationOf(founder: number): number {
  return Math.floor(founder / idsPerGeneration)
}

/** The founder of the next generation. `low`: 32 bits. */
export function nextFounder(founder: number, low: number): number {
  return Math.min(generationOf(founder) + 1, mostGenerations) * idsPerGeneration + low
}

export function retiredKey(client: number): string {
  return client.toString(36)
}

const keyForm = /^[0-9a-z]{1,11}$/

export function isRetiredKey(key: string): boolean {
  return keyForm.test(key) && Number.isSafeInteger(Number.parseInt(key, 36))
}

export function retiredOf(doc: Y.Doc): Map<number, number> {
  const retired = new Map<number, number>()
  if (!doc.share.has(retiredRoot)) return retired
  for (const [key, clock] of doc.getMap(retiredRoot)) {
    if (isRetiredKey(key) && typeof clock === 'number') retired.set(Number.parseInt(key, 36), clock)
  }
  return retired
}

/** Whether any of these clients has written in an earlier generation, so that what names it is of one. */
export function namesRetired(retired: Retired, clients: Iterable<number>): boolean {
  for (const client of clients) if (retired.has(client)) return true
  return false
}
