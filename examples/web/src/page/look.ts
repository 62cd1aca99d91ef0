const storageKey = 'kith-demo:look'

export type Look = 'system' | 'light' | 'dark'

/** The colours that the user chose; the system's at first. */
export function chosenLook(): Look {
  try {
    const look = localStorage.getItem(storageKey)
    return look === 'light' || look === 'dark' ? look : 'system'
  } catch {
    return 'system'
  }
}

export function applyLook(look: Look): void {
  document.documentElement.dataset['look'] = look
}

export function chooseLook(look: Look): void {
  applyLook(look)
  try {
    localStorage.setItem(storageKey, look)
  } catch {
    // Without storage it goes for this page.
  }
}
