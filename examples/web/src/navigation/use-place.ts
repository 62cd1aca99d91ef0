import { useSyncExternalStore } from 'react'
import { navigation } from './navigation.ts'
import type { DialogName, Place, Tab } from './place.ts'

export interface PlaceControls {
  place: Place
  open: (place: Place) => void
  openDialog: (dialog: DialogName) => void
  goToTab: (tab: Tab) => void
  close: () => void
}

/** The screen that a device shows, and functions to go to another one. */
export function usePlace(device: string): PlaceControls {
  const place = useSyncExternalStore(navigation.changes.subscribe, () => navigation.placeOf(device))
  return {
    place,
    open: next => navigation.open(device, next),
    openDialog: dialog => {
      const place = navigation.placeOf(device)
      // A dialog that replaces another one also replaces its entry.
      if (place.dialog !== undefined) navigation.show(device, { ...place, dialog })
      else navigation.open(device, { ...place, dialog })
    },
    goToTab: tab => {
      const place = navigation.placeOf(device)
      if (tab !== place.tab || place.person !== undefined) navigation.open(device, { tab })
    },
    close: () => navigation.close(device),
  }
}
