import type { AbstractLevel } from 'abstract-level'

/** Any database of the Level family, with text keys and bytes for values. */
export type LevelDatabase = AbstractLevel<string | Buffer | Uint8Array, string, Uint8Array>
