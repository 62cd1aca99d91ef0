import type { Generated } from './generate.ts'

/** A generated mutant that no test can notice, or need notice, and the reason. It is identified by the text of its line. */
export interface Kept {
  file: string
  /** The line on which the mutant begins, without its indentation. */
  line: string
  /** The original text → its replacement. */
  change: string
  /** The number of this change, if the line has several such changes; without it, the reason applies to each of them. */
  nth?: number
  why: string
}

/** Survivors that were examined and accepted. */
export const kept: readonly Kept[] = [
  {
    file: 'packages/server/src/relations/account.ts',
    line: 'await draft.loadUsers([user])',
    change: '[user] → []',
    nth: 2,
    why: 'The same: what a change of this type surely reads is loaded ahead (`preload.ts`).',
  },
  {
    file: 'packages/server/src/relations/account.ts',
    line: 'await draft.loadUsers([user])',
    change: '[user] → []',
    nth: 3,
    why: 'The same: what a change of this type surely reads is loaded ahead (`preload.ts`).',
  },
  {
    file: 'packages/server/src/bus/postgres-carrier.ts',
    line: 'if (inline.length <= maxNoticeLength) payloads.push(inline)',
    change: '<= → <',
    why: 'The same: a notice of exactly that length goes as a large message, and arrives.',
  },
  {
    file: 'packages/server/src/presence/subscription.ts',
    line: 'const isPast = lastSeenMinute > 0 && lastSeenMinute * 60_000 <= this.#port.clock.now()',
    change: '0 → 1',
    why: 'One minute of 1970.',
  },
  {
    file: 'packages/client/src/database/own-documents.ts',
    line: '#logBytes = 0',
    change: '0 → (-1)',
    why: 'One byte of a bound on work that is a choice.',
  },
  {
    file: 'packages/client/src/database/own-documents.ts',
    line: '#logBytes = 0',
    change: '0 → 1',
    why: 'One byte of a bound on work that is a choice.',
  },
  {
    file: 'packages/client/src/database/own-documents.ts',
    line: 'this.#snapshotBytes = 0',
    change: '0 → (-1)',
    why: 'One byte of a bound on work that is a choice.',
  },
  {
    file: 'packages/client/src/database/own-documents.ts',
    line: 'this.#snapshotBytes = 0',
    change: '0 → 1',
    why: 'One byte of a bound on work that is a choice.',
  },
  {
    file: 'packages/server/src/bus/messages.ts',
    line: 'const maxTextLength = 4 * 1024 * 1024',
    change: '1024 → 1025',
    why: 'A thousandth of a bound that is a choice, beyond every limit of a message.',
  },
  {
    file: 'packages/server/src/bus/messages.ts',
    line: 'const maxTextLength = 4 * 1024 * 1024',
    change: '1024 → (1023)',
    why: 'A thousandth of a bound that is a choice, beyond every limit of a message.',
  },
  {
    file: 'packages/server/src/store/postgres/pages.ts',
    line: 'after = last === undefined || rows.length < rowsAtOnce ? undefined : keyOf(last)',
    change: '|| → &&',
    why: 'It costs one more query: it finds no row, and ends the pages.',
  },
  {
    file: 'packages/server/src/store/postgres/reads.ts',
    line: 'relation: { changed_at: 0, joined_at: 0, relation: encodeRelation(noRelation) },',
    change: '0 → 1',
    why: 'Stands in for a record that is not there, so that reading takes the same time: its content is not used.',
  },
  {
    file: 'packages/server/src/store/postgres/reads.ts',
    line: 'relation: { changed_at: 0, joined_at: 0, relation: encodeRelation(noRelation) },',
    change: '0 → (-1)',
    why: 'Stands in for a record that is not there, so that reading takes the same time: its content is not used.',
  },
  {
    file: 'packages/client/src/database/rebase.ts',
    line: "await writeMeta(work.db, 'removed', others(documents.removed, name))",
    change:
      "await writeMeta(work.db, 'removed', others(documents.removed, name)) → (writeMeta(work.db, 'removed', others(documents.removed, name)))",
    why: 'The same: the transaction ends after all that was written in it, and fails with any of it.',
  },
  {
    file: 'packages/server/src/socket/deferred-follows.ts',
    line: 'if (this.#told > 0) this.promote().catch((error: unknown) => this.#device.fail(error))',
    change: '0 → (-1)',
    why: 'It costs a read: where no follow waits, none is served.',
  },
  {
    file: 'packages/server/src/socket/sign-in.ts',
    line: "socket.on('error', () => socket.terminate())",
    change: 'socket.terminate() → undefined',
    why: 'The same, later: the timer ends a socket that was turned away.',
  },
  {
    file: 'packages/server/src/relations/roster.ts',
    line: "if (updateUnasked(draft, other, user, limits) === 'review') reviews.add(other)",
    change: "updateUnasked(draft, other, user, limits) === 'review' → true",
    why: 'It costs work: where no review is needed, the places are dealt as they were.',
  },
  {
    file: 'packages/server/src/relations/roster.ts',
    line: "if (updateUnasked(draft, user, other, limits) === 'review') reviews.add(user)",
    change: "updateUnasked(draft, user, other, limits) === 'review' → true",
    why: 'It costs work: where no review is needed, the places are dealt as they were.',
  },
  {
    file: 'packages/server/src/store/level/stage/overlaid-reads.ts',
    line: 'await snapshot.close()',
    change: 'await snapshot.close() → (snapshot.close())',
    why: 'The same: nothing is read of the snapshot any more, and the database closes what is still open of it.',
  },
  {
    file: 'packages/shared/src/wire/codec.ts',
    line: "ensure(decoder.pos + length <= decoder.arr.length, 'an end before its bytes')",
    change: '+ → -',
    why: 'The same: the place is then behind the end of the frame, which is malformed for not ending there.',
  },
  {
    file: 'packages/server/src/relations/follow-budget.ts',
    line: 'if (missing <= 0) return 0',
    change: '0 → (-1)',
    why: 'The same: who asks sends no negative time, and sets no timer for one.',
  },
  {
    file: 'packages/server/src/socket/outbound.ts',
    line: 'return outstandingBytes > 2 * limits.rosterBytes || answers.outstandingOf(this.#user) > 4 * limits.rosterBytes',
    change: '> → >=',
    why: 'One byte of 16 MiB.',
  },
  {
    file: 'packages/server/src/relay/feed.ts',
    line: 'entry.joinSentAt = position - 1',
    change: '1 → 2',
    why: 'The same: a join makes an entry, and it goes by a later commit, so no join is as old as one before this commit.',
  },
  {
    file: 'packages/server/src/socket/handle.ts',
    line: 'if (session.isClosed) return',
    change: 'session.isClosed → false',
    why: 'It spares work: a session that is closed says nothing, and ends no second time.',
  },
  {
    file: 'packages/server/src/accounts/account.ts',
    line: "if (profile?.relayed) await this.#relay('profile', profile.relayed, writer)",
    change: "'profile' → ''",
    why: 'The same: what is not called the roster is relayed as the profile.',
  },
  {
    file: 'packages/server/src/admission/size-limits.ts',
    line: 'Math.max(0, ...before.values()) + addedBytes <= limits.profileBytes && before.size + fields <= limits.profileLevels',
    change: '<= → <',
    why: 'It costs work: what may come to exactly the limits is tried on a copy, and is within them.',
  },
  {
    file: 'packages/server/src/admission/size-limits.ts',
    line: 'if (isFarBelow) return undefined',
    change: 'isFarBelow → false',
    why: 'It spares work: tried on a copy, what is far below the limits is within them.',
  },
  {
    file: 'packages/client/src/sync/sender.ts',
    line: '#isWoken = false',
    change: 'false → true',
    why: 'The same, after one more look for something to send.',
  },
  {
    file: 'packages/client/src/sync/hello.ts',
    line: 'const owners = cursor.length > 0 ? all.slice(0, maxHelloOwners) : []',
    change: '0 → 1',
    why: 'The same: no cursor has one byte.',
  },
  {
    file: 'packages/client/src/sync/connection.ts',
    line: 'const silenceMs = 45_000',
    change: '45_000 → 45001',
    why: 'One millisecond of a silence that is a choice.',
  },
  {
    file: 'packages/client/src/sync/connection.ts',
    line: 'const silenceMs = 45_000',
    change: '45_000 → (44999)',
    why: 'One millisecond of a silence that is a choice.',
  },
  {
    file: 'packages/server/src/presence/presence.ts',
    line: 'const mostNoted = 1_000',
    change: '1_000 → 1001',
    why: 'One more or less in one commit; the others go in the next, which shows nowhere.',
  },
  {
    file: 'packages/server/src/presence/presence.ts',
    line: 'const mostNoted = 1_000',
    change: '1_000 → (999)',
    why: 'One more or less in one commit; the others go in the next, which shows nowhere.',
  },
  {
    file: 'packages/client/src/database/repeatedly.ts',
    line: 'const mostRepetitions = 10',
    change: '10 → 11',
    why: 'Tests hold that it ends, and that losses are outlived; how many in a row are is a choice.',
  },
  {
    file: 'packages/client/src/database/repeatedly.ts',
    line: 'const mostRepetitions = 10',
    change: '10 → (9)',
    why: 'Tests hold that it ends, and that losses are outlived; how many in a row are is a choice.',
  },
  {
    file: 'packages/server/src/accounts/admit-writes.ts',
    line: 'const maxRunBytes = 16 * 1024 * 1024',
    change: '1024 → 1025',
    why: 'A thousandth of a bound on work that is a choice: documents of the same size go together as before.',
  },
  {
    file: 'packages/server/src/accounts/admit-writes.ts',
    line: 'const maxRunBytes = 16 * 1024 * 1024',
    change: '1024 → (1023)',
    why: 'A thousandth of a bound on work that is a choice: documents of the same size go together as before.',
  },
  {
    file: 'packages/server/src/relay/feed.ts',
    line: "if (this.#state !== 'open') {",
    change: "'open' → ''",
    why: 'The same frames: owners are asked for one by one, all in one turn of the event loop. How long that turn is, `bench -- overload` measures.',
  },
  {
    file: 'packages/client/src/sync/connection-manager.ts',
    line: "return this.#state.state !== 'idle' && this.#state.state !== 'closed'",
    change: "'closed' → ''",
    why: 'Nobody asks a link that is closed: its store is closed before.',
  },
  {
    file: 'packages/server/src/admission/merging-cost.ts',
    line: 'this.#steps += 1 + Math.ceil(structs / movesPerStep)',
    change: '1 → (0)',
    why: 'One step of thousands: tests hold that splits are counted.',
  },
  {
    file: 'packages/client/src/database/outbox.ts',
    line: 'const limit = isCareful || isRosterOnly ? undefined : entriesPerRun',
    change: 'isCareful || isRosterOnly → true',
    why: 'The same order and the same frames: a run ends by its bytes, and here reads more entries than it takes.',
  },
  {
    file: 'packages/client/src/sync/direct-messages.ts',
    line: 'if (!sending) return',
    change: 'return → {}',
    why: 'The same: whatever ends a message cancels this timer.',
  },
  {
    file: 'packages/client/src/database/failure.ts',
    line: "if (typeof error !== 'object' || error === null) return false",
    change: 'false → undefined',
    why: 'The same: it is only asked whether it is so.',
  },
  {
    file: 'packages/server/src/relations/lapsed.ts',
    line: 'return joinedAtMs > 0 && joinedAtMs <= nowMs && nowMs - joinedAtMs < announcementRestMs',
    change: '> → >=',
    why: 'The same: what was announced never says 0, which is more than 30 days ago.',
  },
  {
    file: 'packages/server/src/relations/standing.ts',
    line: 'return visibleLevels({ viewer: stranger, owner, relation: noRelation }).length > 0',
    change: '> → <=',
    why: 'The same: only whether it changed is asked, and both sides are turned round.',
  },
  {
    file: 'packages/client/src/documents/content-limits.ts',
    line: "if (utf8Length(parseProfileKey(key)?.name ?? '') > limits.fieldNameBytes) {",
    change: "parseProfileKey(key)?.name ?? '' → parseProfileKey(key)?.name",
    why: 'The same: a device makes well-formed keys only.',
  },
  {
    file: 'packages/client/src/documents/room.ts',
    line: 'if (level === undefined || name === undefined) continue',
    change: 'level === undefined || name === undefined → false',
    why: 'The same: what a device holds, and what a server admits, has well-formed keys only.',
  },
  {
    file: 'packages/server/src/presence/subscription.ts',
    line: 'const batchSize = 32',
    change: '32 → (31)',
    why: 'How many are read together shows nowhere.',
  },
  {
    file: 'packages/server/src/admission/size-limits.ts',
    line: 'const trial = new Y.Doc({ gc: true })',
    change: 'true → false',
    why: 'The same: only what is live is counted in it, and it is thrown away.',
  },
  {
    file: 'packages/server/src/socket/allowance.ts',
    line: 'if (this.#unacknowledged === 0) return false',
    change: 'false → undefined',
    why: 'The same: it is only asked whether it is so.',
  },
  {
    file: 'packages/server/src/accounts/account-queue.ts',
    line: '#queuedBytes = 0',
    change: '0 → 1',
    why: 'One byte of 16 MiB.',
  },
  {
    file: 'packages/server/src/socket/outbound.ts',
    line: 'if (outstandingBytes < lightBytes) return false',
    change: '< → <=',
    why: 'One byte of 256 KiB.',
  },
  {
    file: 'packages/client/src/sync/direct-messages.ts',
    line: '#waiting = 0',
    change: '0 → 1',
    why: 'A hint that is later by one message of fifty a second.',
  },
  {
    file: 'packages/client/src/documents/lost.ts',
    line: 'const bytesPerEntry = 64 * 1024',
    change: '1024 → (1023)',
    why: '64 bytes of a size that is a choice.',
  },
  {
    file: 'packages/client/src/database/people.ts',
    line: "this.#hands ??= new Map(await readMeta(this.#db, 'hands'))",
    change: '??= → =',
    nth: 2,
    why: 'The same: the welcome comes before anything of this session that changes hands.',
  },
  {
    file: 'packages/server/src/relay/relay.ts',
    line: 'const changed = [...levels.keys()].sort((a, b) => a - b)',
    change: '.sort((a, b) => a - b) → ',
    why: 'The same frames in another order; a device takes levels in any.',
  },
  {
    file: 'packages/client/src/database/failure.ts',
    line: 'return new KithError(code, textOf(error), { cause: error })',
    change: '{ cause: error } → {}',
    why: 'The text says the same; what lies beneath is for people who look for it.',
  },
  {
    file: 'packages/server/src/accounts/account-queue.ts',
    line: "this.#queue = this.#queue.filter(entry => entry.type === 'task' || entry.writer !== writer)",
    change: "'task' → ''",
    why: 'The same: a task has no writer, so it stays either way.',
  },
  {
    file: 'packages/server/src/store/level/group-commit.ts',
    line: 'if (group[0]?.isForced) return Number.POSITIVE_INFINITY',
    change: '?. → .',
    why: 'The same: no group is empty.',
  },
  {
    file: 'packages/client/src/documents/room.ts',
    line: 'const { level, name } = parseProfileKey(key) ?? {}',
    change: 'parseProfileKey(key) ?? {} → parseProfileKey(key)',
    why: 'The same: what a device holds, and what a server admits, has well-formed keys only.',
  },
  {
    file: 'packages/server/src/admission/merging-cost.ts',
    line: 'const passed = Math.max(0, known)',
    change: '0 → (-1)',
    why: 'Equivalent: a negative number means that the clock before the item belongs to no item of a known key, so no origin points there.',
  },
  {
    file: 'packages/server/src/socket/unfinished-frames.ts',
    line: 'const leastUnfinishedBytes = 128 * 1024',
    change: '1024 → 1025',
    why: '128 bytes of a size that is a choice.',
  },
  {
    file: 'packages/server/src/socket/unfinished-frames.ts',
    line: 'const leastUnfinishedBytes = 128 * 1024',
    change: '1024 → (1023)',
    why: '128 bytes of a size that is a choice.',
  },
  {
    file: 'packages/client/src/database/remade-entries.ts',
    line: '.filter(part => part.length > 0)',
    change: '> → >=',
    why: 'Equivalent: an entry without changes is not written to the outbox.',
  },
  {
    file: 'packages/server/src/relations/roster.ts',
    line: "messageAudience: settings.messageAudience === 'everyone' ? undefined : settings.messageAudience,",
    change: "settings.messageAudience === 'everyone' → false",
    why: "Equivalent: a record without it means 'everyone' too.",
  },
  {
    file: 'packages/client/src/database/outbox-memory.ts',
    line: "for (const row of await db.outbox.where(':id').above(from).toArray()) this.#set(row)",
    change: "':id' → ''",
    why: 'Equivalent: Dexie takes an empty name for the primary key too.',
  },
  {
    file: 'packages/shared/src/roster/relations.ts',
    line: 'if (additions.length === 0 || keyCount(roster) + additions.length <= most) return false',
    change: 'false → undefined',
    why: 'Equivalent: the caller only checks whether it is true.',
  },
  {
    file: 'packages/server/src/store/level/prepared-changes.ts',
    line: 'this.#readings.delete(reading)',
    change: 'this.#readings.delete(reading) → {}',
    nth: 2,
    why: 'It saves one comparison: the reading is deleted as soon as the change is written or has failed.',
  },
  {
    file: 'packages/client/src/sync/sync-waiters.ts',
    line: 'if (![...this.#waiters].some(waiter => !waiter.isAsking)) return',
    change: 'return → {}',
    why: 'It saves a read of the database: without a wait that is not asking yet, none is due.',
  },
  {
    file: 'packages/client/src/sync/sync-waiters.ts',
    line: 'if (![...this.#waiters].some(waiter => !waiter.isAsking)) return',
    change: '![...this.#waiters].some(waiter => !waiter.isAsking) → false',
    why: 'It saves a read of the database: without a wait that is not asking yet, none is due.',
  },
  {
    file: 'packages/server/src/relations/account.ts',
    line: 'if (!canPromote(draft, viewer, limits)) continue',
    change: 'continue → {}',
    why: 'Equivalent: `promote` checks the same, and only the first subject of a commit is used.',
  },
  {
    file: 'packages/client/src/sync/hello.ts',
    line: '...(owners.length > 0 && { owners }),',
    change: '> → >=',
    why: 'Equivalent: no owners and an empty list are the same bytes.',
  },
  {
    file: 'packages/server/src/socket/kith-socket.ts',
    line: 'return (this as unknown as { _receiver?: Receiver | null })._receiver ?? undefined',
    change:
      '(this as unknown as { _receiver?: Receiver | null })._receiver ?? undefined → (this as unknown as { _receiver?: Receiver | null })._receiver',
    why: 'Equivalent: it is only checked whether there is one.',
  },
  {
    file: 'packages/client/src/device/new-database.ts',
    line: "...(memory.incarnation ? [{ key: 'incarnation', value: memory.incarnation }] : []),",
    change: 'memory.incarnation → true',
    why: 'Equivalent: a value that is absent is read as one that was never written.',
  },
  {
    file: 'packages/server/src/admission/relation-count.ts',
    line: 'if (user !== undefined && removedKeys.has(user)) keptKeys.set(user, (keptKeys.get(user) ?? 0) + 1)',
    change: '&& → ||',
    why: 'Equivalent: keys of other users are counted too, and no count of theirs is read.',
  },
  {
    file: 'packages/server/src/relay/current-reads.ts',
    line: 'this.#waitingToHold.shift()?.()',
    change: '?. → ',
    why: 'Equivalent: the loop runs while there is one.',
  },
  {
    file: 'packages/server/src/socket/kith-socket.ts',
    line: 'incoming._bufferedBytes = 0',
    change: '0 → 1',
    why: 'One byte of 512 KiB, until the connection ends.',
  },
  {
    file: 'packages/server/src/socket/kith-socket.ts',
    line: 'incoming._messageLength = 0',
    change: '0 → 1',
    why: 'One byte of 512 KiB, until the connection ends.',
  },
  {
    file: 'packages/server/src/socket/kith-socket.ts',
    line: 'this.#isDiscarding = true',
    change: 'this.#isDiscarding = true → {}',
    why: 'Equivalent: nothing comes in any more, so it is never called for a second time.',
  },
  {
    file: 'packages/server/src/documents/remote-document.ts',
    line: '#moreBytes = 0',
    change: '0 → 1',
    why: 'One byte of a bound of 256 MiB.',
  },
  {
    file: 'packages/server/src/documents/documents.ts',
    line: 'document.destroy()',
    change: 'document.destroy() → {}',
    why: 'Equivalent: a small document has memory in this thread only, and nothing refers to it any more.',
  },
  {
    file: 'packages/client/src/documents/lost.ts',
    line: 'if (last && last.length + unit.length <= changesPerEntry && bytes + more <= bytesPerEntry) {',
    change: '<= → <',
    nth: 2,
    why: 'One byte of a size that is a choice.',
  },
  {
    file: 'packages/client/src/documents/content-limits.ts',
    line: "const { root, key, value = '' } = addition",
    change: "'' → 'mutated'",
    why: 'Equivalent: additions have values.',
  },
  {
    file: 'packages/client/src/documents/content-limits.ts',
    line: 'if (bytes > limits.profileBytes && bytes > (before.get(level) ?? 0)) {',
    change: '0 → 1',
    why: 'Equivalent: a level with a field has more than one byte.',
  },
  {
    file: 'packages/client/src/documents/content-limits.ts',
    line: 'if (bytes > limits.profileBytes && bytes > (before.get(level) ?? 0)) {',
    change: '0 → (-1)',
    why: 'Equivalent: a level with a field has more than one byte.',
  },
  {
    file: 'packages/client/src/documents/content-limits.ts',
    line: "if (utf8Length(parseProfileKey(key)?.name ?? '') > limits.fieldNameBytes) {",
    change: '?. → .',
    why: 'Equivalent: a device makes well-formed keys only.',
  },
  {
    file: 'packages/client/src/documents/content-limits.ts',
    line: "if (utf8Length(parseProfileKey(key)?.name ?? '') > limits.fieldNameBytes) {",
    change: "'' → 'mutated'",
    why: 'Equivalent: a device makes well-formed keys only.',
  },
  {
    file: 'packages/client/src/documents/renamed.ts',
    line: 'const inside = id.client === renaming.client ? id.clock + length - renaming.from : 0',
    change: '0 → (-1)',
    why: 'Equivalent: it is only checked whether it is above 0.',
  },
  {
    file: 'packages/client/src/database/remade-entries.ts',
    line: 'if (entry.document === name) for (const change of entry.changes) last.set(keyName(change), change)',
    change: 'entry.document === name → true',
    why: 'Equivalent: the two documents have no root in common, so no key of one is taken for one of the other.',
  },
  {
    file: 'packages/client/src/documents/deleted-parts.ts',
    line: 'if (last?.client === client && last.clock + last.len === clock) last.len += len',
    change: '+ → -',
    why: 'Equivalent: two ranges that adjoin delete the same as one.',
  },
  {
    file: 'packages/server/src/documents/stored-document.ts',
    line: 'this.doc.destroy()',
    change: 'this.doc.destroy() → {}',
    why: 'Equivalent: nothing listens to the end of the document, and nothing refers to it any more.',
  },
  {
    file: 'packages/shared/src/roster/relations.ts',
    line: 'if (users.size === 0) return 0',
    change: 'users.size === 0 → false',
    why: 'It saves work: without a user whose key is removed, none is found.',
  },
  {
    file: 'packages/server/src/documents/merge-thread.ts',
    line: 'this.#admit()',
    change: 'this.#admit() → {}',
    nth: 3,
    why: 'Equivalent: while a document waits for room, all others are in use, and one in use is not dropped.',
  },
  {
    file: 'packages/server/src/documents/merge-worker.ts',
    line: "case 'stateVector':",
    change: "'stateVector' → ''",
    why: 'The thread runs what was built, where no mutant of the sources is made. With the same mistake in the build, server/merge-thread fails.',
  },
  {
    file: 'packages/server/src/store/nodes/node-lease.ts',
    line: '#mustJoin = false',
    change: 'false → true',
    why: 'The same: a node without a name joins.',
  },
  {
    file: 'packages/server/src/store/nodes/batch-writer.ts',
    line: 'if (lease.isCurrent()) return',
    change: 'return → {}',
    why: 'The same: the wait for a lease that is current ends at once, with its timer.',
  },
  {
    file: 'packages/server/src/store/nodes/applied.ts',
    line: '#isOwed = false',
    change: 'false → true',
    why: 'The same: it is set before each run.',
  },
  {
    file: 'packages/client/src/sync/session.ts',
    line: 'this.#hadCursor = before.cursor.length > 0',
    change: '0 → 1',
    why: 'The same: no cursor has one byte.',
  },
  {
    file: 'packages/server/src/store/postgres/records.ts',
    line: 'yield { at: rows[0]?.at ?? 0, relations }',
    change: '0 → (-1)',
    why: 'The same: the row of the head is always there.',
  },
]

export function whyKept({ file, lineText, original, replacement, id }: Generated): string | undefined {
  const change = `${original} → ${replacement}`
  const nth = Number(/ \| (\d+)$/.exec(id)?.[1] ?? 1)
  const isThis = (one: Kept): boolean =>
    one.file === file && one.line === lineText && one.change === change && (one.nth ?? nth) === nth
  return kept.find(isThis)?.why
}
