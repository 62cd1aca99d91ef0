import { type Commit, isLooker, type Store } from '../store/store.ts'
import type { Watch } from './watch.ts'

/** Who watches whom, to tell the right sessions that they must look again. */
export class Watchers {
  #byOwner = new Map<string, Set<Watch>>()
  #byViewer = new Map<string, Set<Watch>>()
  #stop: () => void

  /** The relay is to hear of commits first: by it watches find out that what they have read is outdated. */
  constructor(store: Store) {
    this.#stop = store.watch({ committed: commits => this.#onCommits(commits) })
  }

  /** A session of this viewer may begin to watch, or ends. */
  open(viewer: string, watch: Watch): void {
    add(this.#byViewer, viewer, watch)
  }

  end(viewer: string, watch: Watch): void {
    remove(this.#byViewer, viewer, watch)
  }

  add(owner: string, watch: Watch): void {
    add(this.#byOwner, owner, watch)
  }

  remove(owner: string, watch: Watch): void {
    remove(this.#byOwner, owner, watch)
  }

  /** This owner has come or gone. */
  stir(owner: string): void {
    for (const watch of this.#byOwner.get(owner) ?? []) watch.stir(owner)
  }

  close(): void {
    this.#stop()
  }

  /** What was taken away is told at once, and so is what was given. */
  #onCommits(commits: readonly Commit[]): void {
    for (const { pairs, standings, strangers, hidings } of commits) {
      for (const { viewer, owner } of pairs) {
        for (const watch of this.#byViewer.get(viewer) ?? []) watch.ask(owner)
      }
      for (const lookers of strangers) {
        const { owner } = lookers
        for (const watch of this.#byOwner.get(owner) ?? [])
          if (isLooker(lookers, watch.user)) watch.askAsStranger(owner)
      }
      for (const owner of hidings) for (const watch of this.#byOwner.get(owner) ?? []) watch.askIfSeen(owner)
      for (const user of standings) for (const watch of this.#byViewer.get(user) ?? []) watch.askAll()
    }
  }
}

function add(watches: Map<string, Set<Watch>>, user: string, watch: Watch): void {
  watches.set(user, (watches.get(user) ?? new Set()).add(watch))
}

function remove(watches: Map<string, Set<Watch>>, user: string, watch: Watch): void {
  const some = watches.get(user)
  some?.delete(watch)
  if (some?.size === 0) watches.delete(user)
}
