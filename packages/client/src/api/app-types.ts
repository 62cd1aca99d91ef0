import type { FieldValue } from '@kith/shared'

/**
 * The types that an app may use for its fields: an interface or a type whose values are field values.
 *
 * ```ts
 * interface Card { name: string; phone?: string; photo?: Uint8Array }
 * ```
 */
export type FieldTypes<F> = { [Name in keyof F]?: FieldValue }

/** Fields as they are read: any field of the app may be absent. If the app named no fields, all names are possible. */
export type FieldsOf<F> = string extends keyof F ? F : Partial<F>

/** A level by its number, or by the name that the app gave it in the option `levels` of `openKith`. */
export type Level<L extends string = never> = number | L

/** The numbers of an app's levels by name, such as `{ family: 2, work: 5 }`. Only the numbers are stored and sent. */
export type LevelNames<L extends string = string> = Readonly<Record<L, number>>

/** A client whose fields and levels may have names of the app, for functions that accept any client. */
// biome-ignore lint/suspicious/noExplicitAny: no other type argument admits all fields, since fields are read and written.
export type AnyFields = any
