// Internals of @kith/shared that its tests need. The package does not export them, so they may change at any time.

export { exitCode } from '../../packages/shared/src/phone/exit-codes.ts'
