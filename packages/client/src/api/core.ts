import { KithError, planRemovals, type RosterRoot, userOfKey, utf8Length } from '@kith/shared'
import { edit } from '../database/edit.ts'
import { asKithError, closed } from '../database/failure.ts'
import type { DeviceStore } from '../database/store.ts'
import type { Erasure } from '../device/registry.ts'
import type { Delivery, LinkPort } from '../sync/port.ts'
import { followAutomatically } from './automatic-follow.ts'
import type { Shown } from './shown.ts'

/** The parts that an open client is made of. */
export interface CoreParts {
  readonly shown: Shown
  readonly link: LinkPort
  /** Rejects later changes; if changes are unsent, rejects with `unsent-changes` instead. */
  seal(): Promise<void>
  /** Closes the database, so that it can be opened again. */
  closeDatabase(): Promise<void>
  /** Notes that this device is to be deleted, so that no other tab stores it again. Returns whether this is the first note. */
  noteErased(why: Erasure): Promise<boolean>
  /** Deletes the database, and the note that this user used this device last. */
  deleteDatabase(): Promise<void>
}

/** The implementation behind {@link Kith}: the state that the app sees, the connection, and closing the client. */
export class KithCore {
  readonly user: string
  readonly shown: Shown
  readonly store: DeviceStore
  readonly link: LinkPort
  readonly #parts: CoreParts
  #closing: Promise<void> | undefined

  constructor(parts: CoreParts) {
    const { shown, link } = parts
    this.#parts = parts
    this.user = shown.user
    this.shown = shown
    this.store = shown.store
    this.link = link
    shown.presences.wanted.on(users => link.watch(users))
  }

  /**
   * Accesses a profile: reads this device's data, fetches the rest, and follows the user if automatic following says so.
   */
  access(id: string): void {
    const work = async (): Promise<void> => {
      const parts = [followAutomatically(this.store, id), this.shown.load(id), this.link.fetch(id)]
      try {
        await Promise.allSettled(parts) // The profile is loaded even if the follow does not fit.
        await Promise.all(parts)
      } catch (error) {
        this.shown.failed(asKithError(error, 'database-failed'))
      }
    }
    this.shown.held(id).loaded = work()
  }

  async editRoster(plan: Parameters<typeof edit>[2]): Promise<void> {
    this.checkOpen()
    await edit(this.store, 'roster', plan)
  }

  /** Removes these users. Resolves to the number of users for whom something changed. */
  async removeContacts(users: ReadonlySet<string>): Promise<number> {
    let removed = new Set<string | undefined>()
    this.shown.unstage(users) // Not after the removal: settings that are staged during it stay.
    await this.editRoster(roster => {
      const changes = planRemovals(roster, users)
      removed = new Set(changes.map(({ root, key }) => userOfKey(root as RosterRoot, key)))
      return changes
    })
    return removed.size
  }

  /** Sends a direct message. Rejects with `message-too-long`. */
  async send(to: string, text: string): Promise<Delivery> {
    const { messageBytes } = this.store.documents.limits
    if (utf8Length(text) > messageBytes) {
      throw new KithError('message-too-long', `A message takes at most ${messageBytes} bytes: shorten it`)
    }
    return this.link.send(to, text)
  }

  checkOpen(): void {
    if (this.#closing) throw closed()
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  /** Closes the client and deletes this device's data; if changes are unsent, only when `isForced` is set. */
  async erase(isForced: boolean): Promise<void> {
    if (!isForced) await this.#parts.seal() // Otherwise, a change that is saved from now on would be deleted [D1].
    await this.close()
    await this.#parts.noteErased('closed')
    await this.#parts.deleteDatabase()
  }

  /** The account was erased [D7]: deletes this device's data, then reports the error; the client is closed. */
  async accountErased(error: KithError): Promise<void> {
    if (this.#closing) return
    this.#closing = this.#endErased(error)
    await this.#closing
  }

  async #endErased(error: KithError): Promise<void> {
    // Only one of several tabs deletes: a later deletion would delete a device that was begun meanwhile.
    const isFirst = await this.#parts.noteErased('account-erased').catch(() => true)
    await this.#release()
    // A database that cannot be deleted now is emptied when it is next opened.
    const deleting = isFirst ? this.#parts.deleteDatabase() : Promise.resolve()
    await deleting.catch((cause: unknown) => this.shown.failed(asKithError(cause, 'database-failed')))
    this.shown.failed(error)
    this.shown.listeners.clear()
  }

  async #close(): Promise<void> {
    await this.#release()
    this.shown.listeners.clear()
  }

  async #release(): Promise<void> {
    this.shown.presences.close()
    await this.link.close()
    await this.#parts.closeDatabase()
    this.shown.setStatus('offline')
  }
}
