// What tests of @kith/shared need of its inside. The package does not export it, so it may change at any time.

export { exitCode } from '../../packages/shared/src/phone/exit-codes.ts'
