import { type DeviceName, databaseOf } from './name.ts'

/** Whether the user switched a device's network off: that outlives the page, and goes for all its windows. */
export function isSwitchedOff(name: DeviceName): boolean {
  try {
    return localStorage.getItem(keyOf(name)) !== null
  } catch {
    return false
  }
}

export function rememberSwitch(name: DeviceName, isOff: boolean): void {
  try {
    if (isOff) localStorage.setItem(keyOf(name), 'off')
    else localStorage.removeItem(keyOf(name))
  } catch {
    // Without storage the switch is on again when the page is loaded anew.
  }
}

function keyOf(name: DeviceName): string {
  return `${databaseOf(name)}:network`
}
