export type { ContactEntry, Diagnosis } from './entry.ts'
export type { PhoneBookFormat } from './format.ts'
export type { AddressKind, BookOptions, ImportContact, InvalidContact, InvalidImportReason } from './plan/book.ts'
export { PhoneBook } from './plan/book.ts'
export type { ImportChanges, ImportRecord, MadeChange } from './plan/plan.ts'
export {
  contactsPerTransaction,
  goneContacts,
  inTransactions,
  madeChanges,
  planContacts,
  planGone,
  planUndo,
  recordOf,
} from './plan/plan.ts'
export { PhoneBookReader } from './reader.ts'
