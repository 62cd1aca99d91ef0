/** Focuses this element if the focused element was removed or covered. Otherwise, the focus stays where it is. */
export function catchFocus(element: HTMLElement | null): void {
  const { activeElement } = document
  const isLost = activeElement === null || activeElement === document.body || activeElement.closest('[inert]') !== null
  if (isLost) element?.focus({ preventScroll: true })
}
