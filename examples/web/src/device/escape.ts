import type { KeyboardEvent } from 'react'

/** Handles Escape in a screen like Back, unless a control in it used the key. */
export function onEscape(close: () => void): (event: KeyboardEvent) => void {
  return event => {
    if (event.key !== 'Escape' || event.defaultPrevented) return
    event.stopPropagation()
    close()
  }
}
