import type * as Y from 'yjs'

/**
 * A document whose history outweighs its content is refounded: the same entries are written by one new client, the *founder*.
 * The founder's client id is above those of all devices, and identifies the generation, so any state vector shows its
 * generation. The first generation has no founder; its number is 0.
 */
const idsPerGeneration = 2 ** 32
const mostGenerations = 2 ** 20

/**
 * The root map that only a refounding writes. A key below {@link firstDay} is a client id; its value is the clock at which the
 * client's generation ended. A key from there on is a day; its value is the founder's clock up to which the founder wrote
 * entries that were known by that day.
 */
export const retiredRoot = 'retired'
/** The maximum number of retired clients; those of the oldest generations are forgotten. */
export const mostRetired = 512

/** The known clients of earlier generations of a document: client id → the clock at their end. */
export type Retired = ReadonlyMap<number, number>

/** No client id is this high or higher. */
const firstDay = (mostGenerations + 2) * idsPerGeneration

export function isFounder(client: number): boolean {
  return client >= idsPerGeneration
}

/** The founder among the clients of a document or a state vector; 0 for the first generation. */
export function founderOf(clients: Iterable<number>): number {
  let founder = 0
  for (const client of clients) if (isFounder(client)) founder = Math.max(founder, client)
  return founder
}

/** The number of times that a document was refounded. */
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
    const client = isRetiredKey(key) ? Number.parseInt(key, 36) : firstDay
    if (client < firstDay && typeof clock === 'number') retired.set(client, clock)
  }
  return retired
}

/** The key of a day in {@link retiredRoot}. `day`: whole days since 1970. */
export function dayKey(day: number): string {
  return retiredKey(firstDay + day)
}

/** By which day the founder's entries were known at the latest: the founder's clocks in ascending order, each with its day. */
export function knownDays(doc: Y.Doc): { clock: number; day: number }[] {
  if (!doc.share.has(retiredRoot)) return []
  const days = [...doc.getMap(retiredRoot)].flatMap(([key, clock]) => {
    const day = isRetiredKey(key) ? Number.parseInt(key, 36) - firstDay : -1
    return day >= 0 && typeof clock === 'number' ? [{ clock, day }] : []
  })
  return days.sort((a, b) => a.clock - b.clock)
}

/** Whether any of these clients is known to have written in an earlier generation. */
export function namesRetired(retired: Retired, clients: Iterable<number>): boolean {
  for (const client of clients) if (retired.has(client)) return true
  return false
}

/**
 * Whether these clients wrote in a generation before that of a document with a founder. If the document no longer knows all
 * earlier clients, only a list that contains a founder, or no client, is certainly not of an earlier one.
 */
export function isOfEarlier(retired: Retired, clients: readonly number[]): boolean {
  if (namesRetired(retired, clients)) return true
  return retired.size >= mostRetired && clients.length > 0 && founderOf(clients) === 0
}
