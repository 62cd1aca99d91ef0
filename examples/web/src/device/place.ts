import type { Device } from '../devices/device.ts'

/** The id of the element that shows a device. */
export function placeOf({ name }: Device): string {
  return `device-${name.user}-${name.device}`
}

/** On a narrow window one place fills the page: this goes there. A wide one shows them all, and stays. */
export function goTo(place: string): void {
  document.getElementById(place)?.scrollIntoView({ inline: 'nearest', block: 'nearest' })
}
