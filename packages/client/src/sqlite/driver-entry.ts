export type { DeviceStorage } from '../database/contract.ts'
export type { SqliteConnection, SqliteDriver, SqliteRow, SqliteValue } from './driver.ts'
export { sqliteOn } from './storage.ts'
