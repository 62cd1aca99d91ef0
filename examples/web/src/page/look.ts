const storageKey = 'kith-demo:look'

export type Look = 'system' | 'light' | 'dark'

/** The colours that the user chose; by default, the system's. */
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
    // Without storage, the choice lasts as long as this page.
  }
}
