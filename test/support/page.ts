import { Window } from 'happy-dom'
import type { ReactNode } from 'react'
import { onTestFinished } from 'vitest'

/** A page that React renders to, as it does in a browser: nothing is awaited or flushed for it. */
export interface Page {
  show(node: ReactNode): void
  /** All its text. */
  readonly text: string
  /** What reached no error boundary. */
  readonly errors: unknown[]
  /** Takes everything off the page. */
  leave(): void
}

/** A page in a document of its own, gone when the test ends. */
export async function openPage(): Promise<Page> {
  const window = new Window()
  Object.assign(globalThis, { window, document: window.document })
  if (!('navigator' in globalThis)) Object.assign(globalThis, { navigator: window.navigator })
  // React looks at the document as soon as it's loaded.
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
