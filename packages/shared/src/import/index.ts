export type { ContactEntry, Diagnosis } from './entry.ts'
export type { PhoneBookFormat } from './format.ts'
export { PhoneBookReader } from './reader.ts'
