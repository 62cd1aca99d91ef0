export { exportAccount } from './export-account.ts'
export type { AccountFile, FileContact, FileValue } from './file.ts'
export type { ImportAccountOptions, ImportAccountResult } from './import-account.ts'
export { importAccount } from './import-account.ts'
