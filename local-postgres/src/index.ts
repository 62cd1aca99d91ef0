export { freePort } from './free-port.ts'
export { Guarded } from './guarded.ts'
export { type LocalPostgres, startLocalPostgres } from './local-postgres.ts'
export { findPrograms, howToInstall, type Programs } from './programs.ts'
