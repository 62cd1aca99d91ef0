import { orFail } from '../or-fail.ts'
import { type Commit, type CommitListener, isLooker } from '../relations/commit.ts'
import { inSlices } from '../turns.ts'

/** The cost of making one session check one owner again, and all owners that it watches, in look-ups. */
const stepsOfAsking = 10
const stepsOfAskingAll = 500

/** The subscription of one session: the users whose presence its device watches. */
export interface PresenceListener {
  readonly user: string
  /** What the device may know about this owner must be read again. */
  ask(owner: string): void
  /** The same, if the device gets anything of the owner's profile. */
  askIfSeen(owner: string): void
  /** The same, if the viewer sees what strangers see. */
  askAsStranger(owner: string): void
  /** All owners must be read again. */
  askAll(): void
  /** This owner came online or went offline. */
  stir(owner: string): void
  /** The subscription may have missed a commit: ends its session. */
  fail(error: unknown): void
}

/** Which sessions watch which owners, to notify those that must read again. */
export class PresenceSubscriptions {
  #byOwner = new Map<string, Set<PresenceListener>>()
  #byViewer = new Map<string, Set<PresenceListener>>()
  /**
   * Call this for each batch, after the relay's listener, through which subscriptions find out that what they have read is
   * outdated.
   */
  readonly listener: CommitListener = {
    writing: async () => this.#unfinished,
    committed: commits => {
      this.#unfinished = inSlices(this.#onCommits(commits), error => this.#failAll(error))?.finally(() => {
        this.#unfinished = undefined
      })
    },
  }
  /** The remaining slices of a commit that affects many. The next batch waits for them, so its changes come after them. */
  #unfinished: Promise<void> | undefined

  /** A session of this viewer may begin to watch, or ends. */
  open(viewer: string, watch: PresenceListener): void {
    add(this.#byViewer, viewer, watch)
  }

  end(viewer: string, watch: PresenceListener): void {
    remove(this.#byViewer, viewer, watch)
  }

  add(owner: string, watch: PresenceListener): void {
    add(this.#byOwner, owner, watch)
  }

  remove(owner: string, watch: PresenceListener): void {
    remove(this.#byOwner, owner, watch)
  }

  /** All owners that are watched. */
  owners(): Iterable<string> {
    return this.#byOwner.keys()
  }

  /** This owner came online or went offline. */
  stir(owner: string): void {
    for (const watch of this.#byOwner.get(owner) ?? []) orFail(watch, () => watch.stir(owner))
  }

  /** A commit was not processed completely: any subscription may have missed what it took away. */
  #failAll(error: unknown): void {
    for (const watches of [...this.#byViewer.values()]) for (const watch of watches) watch.fail(error)
  }

  /** Both removals and additions are sent immediately. */
  *#onCommits(commits: readonly Commit[]): Iterator<number> {
    for (const { pairs, standings, strangers, hidings } of commits) {
      for (const { viewer, owner } of pairs) {
        for (const watch of this.#byViewer.get(viewer) ?? []) orFail(watch, () => watch.ask(owner))
        yield 1 + stepsOfAsking * (this.#byViewer.get(viewer)?.size ?? 0)
      }
      for (const lookers of strangers) {
        const { owner } = lookers
        for (const watch of this.#byOwner.get(owner) ?? []) {
          if (isLooker(lookers, watch.user)) orFail(watch, () => watch.askAsStranger(owner))
          yield stepsOfAsking
        }
      }
      for (const owner of hidings) {
        for (const watch of this.#byOwner.get(owner) ?? []) {
          orFail(watch, () => watch.askIfSeen(owner))
          yield stepsOfAsking
        }
      }
      for (const user of standings) {
        for (const watch of this.#byViewer.get(user) ?? []) {
          orFail(watch, () => watch.askAll())
          yield stepsOfAskingAll
        }
      }
    }
  }
}

function add(watches: Map<string, Set<PresenceListener>>, user: string, watch: PresenceListener): void {
  watches.set(user, (watches.get(user) ?? new Set()).add(watch))
}

function remove(watches: Map<string, Set<PresenceListener>>, user: string, watch: PresenceListener): void {
  const some = watches.get(user)
  some?.delete(watch)
  if (some?.size === 0) watches.delete(user)
}
