export type { AccountFile, FileContact, FileValue } from '@kith/shared/account'
export { exportAccount } from './export-account.ts'
export type { ImportAccountOptions, ImportAccountResult } from './import-account.ts'
export { importAccount } from './import-account.ts'
