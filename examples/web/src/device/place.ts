import type { Device } from '../devices/device.ts'

/** The id of the element that shows a device. */
export function placeOf({ name }: Device): string {
  return `device-${name.user}-${name.device}`
}

/** In a narrow window, one device fills the page: this scrolls to it. A wide window shows all of them, and does not scroll. */
export function goTo(place: string): void {
  document.getElementById(place)?.scrollIntoView({ inline: 'nearest', block: 'nearest' })
}
