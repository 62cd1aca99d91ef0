export type {
  AddressKind,
  ContactEntry,
  Diagnosis,
  ImportContact,
  InvalidContact,
  InvalidImportReason,
  PhoneBookFormat,
} from '@kith/shared/import'
export type { PhoneBookSource } from './chunks.ts'
export type { ImportProgress, PlanImportOptions } from './options.ts'
export { canPickContacts, pickContacts } from './pick-contacts.ts'
export type { ApplyImportOptions, ImportPlan, ImportResult } from './plan-import.ts'
export { planImport } from './plan-import.ts'
export type { ReadContactsOptions } from './read-contacts.ts'
export { readContacts } from './read-contacts.ts'
