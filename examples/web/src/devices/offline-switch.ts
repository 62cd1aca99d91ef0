import { type DeviceName, databaseOf } from './name.ts'

/** Without storage, the switch lasts as long as this page. */
const offHere = new Set<string>()

/** Whether the user has switched a device's network off. This survives a reload of the page, and applies to all its windows. */
export function isSwitchedOff(name: DeviceName): boolean {
  try {
    return localStorage.getItem(keyOf(name)) !== null
  } catch {
    return offHere.has(keyOf(name))
  }
}

export function rememberSwitch(name: DeviceName, isOff: boolean): void {
  try {
    if (isOff) localStorage.setItem(keyOf(name), 'off')
    else localStorage.removeItem(keyOf(name))
  } catch {
    if (isOff) offHere.add(keyOf(name))
    else offHere.delete(keyOf(name))
  }
}

function keyOf(name: DeviceName): string {
  return `${databaseOf(name)}:network`
}
