/** As much of `navigator.locks` as tabs need. */
export interface LockManagerLike {
  request(name: string, options: { signal?: AbortSignal }, held: () => Promise<void>): Promise<unknown>
}
