export { TestClock } from '@kith/shared/testing'
export type { TestDevice, TestDevices, TestDevicesOptions, TestDevicesServer } from './test-devices.ts'
export { createTestDevices } from './test-devices.ts'
