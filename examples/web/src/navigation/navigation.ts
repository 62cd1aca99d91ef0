import { Emitter } from '../devices/emitter.ts'
import { home, type Place, parentOf, placeFrom } from './place.ts'

/**
 * One entry of the browser's history: what all devices show, and which device opened something (empty if one closed something).
 */
interface Entry {
  /** The number of earlier entries of this page. */
  depth: number
  by: string
  places: Readonly<Record<string, Place>>
}

/** How long to wait for the browser to go back; it usually takes a few ms. */
const longestBackMs = 1_000

/** The screen that each device shows. Opening one adds an entry to the browser's history, so Back closes the newest. */
export class Navigation {
  readonly changes: Emitter = new Emitter()
  #entry: Entry
  /** Going back is asynchronous: screens that are opened meanwhile wait for it. */
  #isGoingBack = false
  #giveUp: ReturnType<typeof setTimeout> | undefined
  #afterBack: (() => void)[] = []

  constructor() {
    this.#entry = readEntry(history.state)
    addEventListener('popstate', ({ state }) => {
      this.#become(readEntry(state))
      this.#wentBack()
    })
  }

  /** Returns the same object until it changes. */
  placeOf(device: string): Place {
    return this.#entry.places[device] ?? home
  }

  /** Opens a screen. */
  open(device: string, place: Place): void {
    this.#push(device, place, device)
  }

  /** Closes the screen that was opened last on a device: by Back, if it is the newest of all. */
  close(device: string): void {
    const { depth, by } = this.#entry
    const parent = parentOf(this.placeOf(device))
    if (!parent) return
    // If the present entry closed something, the previous entry has it open, and Back would open it again.
    if (by !== device || depth === 0 || this.#isGoingBack) return this.#push(device, parent, '')
    this.#isGoingBack = true
    // A browser may ignore it, for example if another navigation begins: then the present screen stays, and waiting calls
    // continue.
    this.#giveUp = setTimeout(() => this.#wentBack(), longestBackMs)
    history.back()
  }

  /** Shows a screen without a new entry, because the user did not open it. */
  show(device: string, place: Place): void {
    if (this.#isGoingBack) {
      this.#afterBack.push(() => this.show(device, place))
      return
    }
    this.#become({ ...this.#entry, places: { ...this.#entry.places, [device]: place } })
    history.replaceState(this.#entry, '')
  }

  #push(device: string, place: Place, by: string): void {
    if (this.#isGoingBack) {
      this.#afterBack.push(() => this.#push(device, place, by))
      return
    }
    const { depth, places } = this.#entry
    this.#become({ depth: depth + 1, by, places: { ...places, [device]: place } })
    history.pushState(this.#entry, '')
  }

  #wentBack(): void {
    clearTimeout(this.#giveUp)
    this.#isGoingBack = false
    for (const action of this.#afterBack.splice(0)) action()
  }

  #become(entry: Entry): void {
    this.#entry = entry
    this.changes.emit()
  }
}

/** Dialogs are closed in an entry from the history or a reload, since the text that was typed in them is gone. */
function readEntry(state: unknown): Entry {
  const { depth, by, places } = (state ?? {}) as Partial<Entry>
  if (typeof depth !== 'number' || typeof by !== 'string') return { depth: 0, by: '', places: {} }
  const entries = Object.entries(places ?? {}).map(([device, place]) => [device, placeFrom(place)] as const)
  return { depth, by, places: Object.fromEntries(entries) }
}

export const navigation: Navigation = new Navigation()
