import { orFail } from '../or-fail.ts'
import { type Commit, type CommitListener, isLooker } from '../relations/commit.ts'
import { inSlices } from '../turns.ts'

/** What it takes one session to look at one owner again, and at all that it watches, in look-ups. */
const stepsOfAsking = 10
const stepsOfAskingAll = 500

/** The watch of one session: the users whose presence its device wants to know. */
export interface PresenceListener {
  readonly user: string
  /** What the device may know of this owner is to be read again. */
  ask(owner: string): void
  /** The same, if the device gets anything of the owner's profile. */
  askIfSeen(owner: string): void
  /** The same, if the viewer sees what strangers see. */
  askAsStranger(owner: string): void
  /** All owners are to be read again. */
  askAll(): void
  /** This owner came online or went offline. */
  stir(owner: string): void
  /** It may have missed a commit: ends its session. */
  fail(error: unknown): void
}

/** Which sessions watch which owners, to call those that must read again. */
export class PresenceSubscriptions {
  #byOwner = new Map<string, Set<PresenceListener>>()
  #byViewer = new Map<string, Set<PresenceListener>>()
  /** To be called for each batch, after the relay's: by the relay, watches find out that what they have read is outdated. */
  readonly listener: CommitListener = {
    writing: async () => this.#unfinished,
    committed: commits => {
      this.#unfinished = inSlices(this.#onCommits(commits), error => this.#failAll(error))?.finally(() => {
        this.#unfinished = undefined
      })
    },
  }
  /** The slices of a commit that concerns many: the next batch waits for them, so that what it changes comes after. */
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

  /** All whom somebody watches. */
  owners(): Iterable<string> {
    return this.#byOwner.keys()
  }

  /** This owner has come or gone. */
  stir(owner: string): void {
    for (const watch of this.#byOwner.get(owner) ?? []) orFail(watch, () => watch.stir(owner))
  }

  /** A commit was not looked at to its end: any watch may have missed what it took away. */
  #failAll(error: unknown): void {
    for (const watches of [...this.#byViewer.values()]) for (const watch of watches) watch.fail(error)
  }

  /** What was taken away is sent at once, and so is what was given. */
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
