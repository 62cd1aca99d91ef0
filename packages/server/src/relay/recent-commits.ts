import type { Commit } from '../store/store.ts'

/** As many commits are remembered as may pass while somebody reads. */
const rememberedCommits = 4096

/** Tells whoever reads of two users and then hands something over whether what was read still holds [V4]. */
export class RecentCommits {
  #recent: { position: number; subjects: readonly string[] }[] = []
  #forgottenUpTo: number
  #writing: { subjects: ReadonlySet<string>; done: Promise<void>; end: () => void } | undefined

  constructor(position: number) {
    this.#forgottenUpTo = position
  }

  /**
   * Whether a commit that concerns one of the users passed since a position: what was read then must be read again
   * [V4]. True also while such a commit is being written, and when the position is too long ago to tell.
   */
  hasChangedSince(position: number, users: readonly string[]): boolean {
    if (position < this.#forgottenUpTo || this.#isWriting(users)) return true
    for (let index = this.#recent.length - 1; index >= 0; index--) {
      const commit = this.#recent[index] as { position: number; subjects: readonly string[] }
      if (commit.position <= position) return false
      if (commit.subjects.some(subject => users.includes(subject))) return true
    }
    return false
  }

  /** Resolves when no commit that concerns one of the users is being written: reading before would be for nothing. */
  async settled(users: readonly string[]): Promise<void> {
    while (this.#isWriting(users)) await this.#writing?.done
  }

  #isWriting(users: readonly string[]): boolean {
    const { subjects } = this.#writing ?? {}
    return subjects !== undefined && users.some(user => subjects.has(user))
  }

  /** A batch that concerns these users is being written. */
  begin(subjects: ReadonlySet<string>): void {
    let end: () => void = () => undefined
    const done = new Promise<void>(resolve => {
      end = resolve
    })
    this.#writing = { subjects, done, end }
  }

  /** The batch is on disk with these commits, or, without any, it failed. */
  end(commits: readonly Commit[]): void {
    for (const commit of commits) this.#remember(commit)
    this.#writing?.end()
    this.#writing = undefined
  }

  #remember({ position, subjects }: Commit): void {
    this.#recent.push({ position, subjects })
    if (this.#recent.length <= 2 * rememberedCommits) return
    const forgotten = this.#recent.splice(0, rememberedCommits)
    this.#forgottenUpTo = forgotten.at(-1)?.position ?? this.#forgottenUpTo
  }
}
