export type { Clock } from './clock.ts'
export { systemClock } from './clock.ts'
export { runProgram } from './commands/program.ts'
export { runServe } from './commands/serve.ts'
export type { CreateServerOptions, EmbeddedServer, WebhookOptions } from './create-server.ts'
export { createServer } from './create-server.ts'
export { isFromThisMachine, namesLoopback } from './http/loopback.ts'
export type { CheckReport, Finding } from './relations/check.ts'
export type { EventRoomOptions } from './relations/event-room.ts'
export { EventRoom } from './relations/event-room.ts'
export type { Change, Commit, Store } from './relations/store.ts'
export type { RouteHost, Routes, Server, ServerOptions } from './server.ts'
export { startServer } from './server.ts'
export { check } from './store/level/check.ts'
export type { CompactReport } from './store/level/compact.ts'
export { compact } from './store/level/compact.ts'
export type { Damage } from './store/level/files/log-damage.ts'
export { DataFolderError } from './store/level/folder-error.ts'
export type { MigrationProgress } from './store/level/format/migrate.ts'
export type { LevelDatabase } from './store/level/level-database.ts'
export type { StoreOptions } from './store/level/open.ts'
export {
  DamagedFolderError,
  openLevelDatabase,
  openLevelStore,
  openMemoryStore,
} from './store/level/open.ts'
export type { Identity, TokenSettings, Verified, VerifyToken } from './tokens.ts'
