import { Window } from 'happy-dom'
import type { ReactNode } from 'react'
import { onTestFinished } from 'vitest'

/** A page that React renders to as in a browser: tests do not await or flush anything for it. */
export interface Page {
  show(node: ReactNode): void
  /** The whole text of the page. */
  readonly text: string
  /** Errors that reached no error boundary. */
  readonly errors: unknown[]
  /** Removes everything from the page. */
  leave(): void
}

/** Opens a page in its own document. Removed when the test ends. */
export async function openPage(): Promise<Page> {
  const window = new Window()
  Object.assign(globalThis, { window, document: window.document })
  if (!('navigator' in globalThis)) Object.assign(globalThis, { navigator: window.navigator })
  // React inspects the document as soon as it is loaded.
  const { createRoot } = await import('react-dom/client')
  const place = window.document.createElement('main')
  window.document.body.append(place)
  const errors: unknown[] = []
  const root = createRoot(place as unknown as Element, {
    onUncaughtError: error => errors.push(error),
    onCaughtError: () => undefined,
  })
  let isLeft = false
  const leave = (): void => {
    if (!isLeft) root.unmount()
    isLeft = true
  }
  onTestFinished(async () => {
    leave()
    await window.happyDOM.close()
  })
  return {
    show: node => root.render(node),
    get text() {
      return place.textContent
    },
    errors,
    leave,
  }
}
