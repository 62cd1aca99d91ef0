/** What had the focus went away or was covered: it goes here. Wherever else it stands, it stays. */
export function catchFocus(element: HTMLElement | null): void {
  const { activeElement } = document
  const isLost = activeElement === null || activeElement === document.body || activeElement.closest('[inert]') !== null
  if (isLost) element?.focus({ preventScroll: true })
}
