import { describe, test } from 'vitest'
import { expectRight } from './histories/expect-right.ts'
import type { Act } from './histories/steps.ts'

/** Failures found by random histories, each shrunk to a story. */
const world = { seed: 0, cast: [0, 1, 2, 3, 4], isAcquainted: false, outstandingBytes: 65_536, hasTabs: false }

describe('replicas of fetched owners end with the session, and when they may no longer be seen', () => {
  test('[V7] a replica of a fetched user is dropped when the user is removed before the fetch is sent', async () => {
    await expectRight({
      ...world,
      steps: [
        { do: 'killServer', losesFrames: false },
        { do: 'act', device: 4, act: { type: 'remove', whom: 1 } },
        { do: 'flow' },
        { do: 'act', device: 2, act: { type: 'set', level: 0, field: 'name' } },
      ],
    })
  })

  test('[V7] a replica of a fetched user is dropped when the user is declined during the fetch', async () => {
    await expectRight({
      ...world,
      steps: [
        { do: 'connect', device: 3 },
        { do: 'next', picks: [0] },
        { do: 'act', device: 0, act: { type: 'set', level: 0, field: 'name' } },
        { do: 'act', device: 0, act: { type: 'sync', whom: [0] } },
        { do: 'act', device: 3, act: { type: 'save', whom: 0, follows: false } },
      ],
    })
  })

  test('[V7] a replica of a user who was fetched, then followed offline, is dropped when the user has blocked meanwhile', async () => {
    await expectRight({
      ...world,
      isAcquainted: true,
      steps: [
        { do: 'act', device: 1, act: { type: 'remove', whom: 0 } },
        { do: 'flow' },
        { do: 'act', device: 1, act: { type: 'save', whom: 0, follows: true } },
        { do: 'killServer', losesFrames: true },
        { do: 'act', device: 2, act: { type: 'save', whom: 0, follows: false, blocks: true } },
      ],
    })
  })

  test('[V7] a replica of a fetched user who may no longer be seen is dropped when the device returns', async () => {
    await expectRight({
      ...world,
      steps: [
        { do: 'act', device: 2, act: { type: 'set', level: 0, field: 'mood' } },
        { do: 'act', device: 1, act: { type: 'remove', whom: 0 } },
        { do: 'flow' },
        { do: 'restartServer', compacts: true },
        { do: 'restrict', user: 0, restricted: true },
      ],
    })
  })
})

describe('a returning device gets what changed, and nothing else', () => {
  test('[F1][V5] the answer to a fetch, sent just before a change of another owner, has no cursor that covers that change', async () => {
    await expectRight({
      ...{ seed: 917291254, cast: [0, 1, 2], isAcquainted: true, outstandingBytes: 65536, hasTabs: true },
      steps: [
        { do: 'act', device: 10, act: { type: 'remove', whom: 1 } },
        { do: 'flow' },
        { do: 'openTab', device: 0 },
        { do: 'slowDisk', isSlow: true },
        { do: 'act', device: 11, act: { type: 'unset', level: 2, field: 'name' } },
        { do: 'act', device: 0, act: { type: 'save', whom: 1, blocks: true } },
        { do: 'next', picks: [7] },
        { do: 'freeze', device: 0 },
        { do: 'next', picks: [0] },
      ],
    })
  })

  test('[F1] a field that another device set at once, which loses, is not shown again', async () => {
    await expectRight({
      ...world,
      seed: 21,
      isAcquainted: true,
      steps: [
        { do: 'killServer', losesFrames: false },
        { do: 'act', device: 1, act: { type: 'set', level: 0, field: 'name' } },
      ],
    })
  })
})

describe('a grant that one change removes and makes again', () => {
  test('[F1] a revocation and a new grant in one change cause no event for a returning viewer', async () => {
    await expectRight({
      ...{ seed: 0, cast: [0, 2], isAcquainted: false, outstandingBytes: 65536, hasTabs: false },
      steps: [
        { do: 'act', device: 1, act: { type: 'set', level: 0, field: 'name' } },
        { do: 'act', device: 0, act: { type: 'meet', whom: 0 } },
        { do: 'flow' },
        { do: 'disconnect', device: 0 },
        { do: 'disconnect', device: 1 },
        { do: 'act', device: 1, act: { type: 'save', whom: 0, levels: [] } },
        { do: 'act', device: 1, act: { type: 'audience', audience: 'contacts' } },
        { do: 'connect', device: 1 },
        { do: 'flow' },
      ],
    })
  })
})

describe('a field that was set and unset before any viewer saw it', () => {
  test('[F1] a field that was set and unset before any viewer saw it causes no event', async () => {
    await expectRight({
      ...world,
      isAcquainted: true,
      steps: [
        { do: 'act', device: 2, act: { type: 'remove', whom: 1 } },
        { do: 'act', device: 2, act: { type: 'set', level: 0, field: 'name' } },
        { do: 'act', device: 2, act: { type: 'unset', level: 0, field: 'name' } },
        { do: 'kill', device: 0, afterTurns: 5 },
      ],
    })
  })
})

describe('replicas of an erased account', () => {
  test('[V5][V7] replicas of an erased account disappear from a viewer who returns after the id was registered again', async () => {
    await expectRight({
      ...world,
      isAcquainted: true,
      steps: [
        { do: 'disconnect', device: 2 },
        { do: 'erase', user: 0 },
        { do: 'register', user: 0, announceJoin: false },
      ],
    })
  })
})

describe('an account that is erased', () => {
  test('[D7] an erased account is not restored by a device that was away, nor by a device with a restored database', async () => {
    await expectRight({
      ...world,
      isAcquainted: true,
      steps: [
        { do: 'openTab', device: 2 },
        { do: 'flow' },
        { do: 'backUp', device: 2 },
        { do: 'disconnect', device: 0 },
        { do: 'act', device: 0, act: { type: 'set', level: 0, field: 'mood' } },
        { do: 'erase', user: 1 },
        { do: 'erase', user: 0 },
        { do: 'restore', device: 2 },
        { do: 'flow' },
        { do: 'connect', device: 0 },
        { do: 'flow' },
        { do: 'act', device: 0, act: { type: 'set', level: 0, field: 'name' } },
      ],
    })
  })

  test('[D7] the next holder of an erased id gets no grants of others until they confirm', async () => {
    await expectRight({
      ...world,
      isAcquainted: true,
      steps: [
        { do: 'erase', user: 0 },
        { do: 'flow' },
        { do: 'act', device: 0, act: { type: 'set', level: 0, field: 'name' } },
        { do: 'act', device: 0, act: { type: 'sync', whom: [0], levels: [1], follows: true } },
        { do: 'flow' },
        { do: 'act', device: 2, act: { type: 'set', level: 2, field: 'mood' } },
        { do: 'flow' },
        { do: 'act', device: 2, act: { type: 'confirm', whom: 0 } },
        { do: 'flow' },
        { do: 'erase', user: 0 },
        { do: 'register', user: 0, announceJoin: true },
        { do: 'flow' },
      ],
    })
  })

  test('[D7] an erased account exists again in an older store until it is erased again; then its next holder continues', async () => {
    await expectRight({
      ...world,
      isAcquainted: true,
      steps: [
        { do: 'backUpServer' },
        { do: 'erase', user: 0 },
        { do: 'flow' },
        { do: 'act', device: 0, act: { type: 'set', level: 0, field: 'name' } },
        { do: 'flow' },
        { do: 'restoreServer' },
        { do: 'flow' },
      ],
    })
  })
})

describe('a device that waits for the welcome', () => {
  test('[D7] brings nothing back of an account that is erased meanwhile', async () => {
    await expectRight({
      ...{ seed: 0, cast: [0, 2, 3], isAcquainted: false, outstandingBytes: 65536, hasTabs: false },
      steps: [
        { do: 'connect', device: 2 },
        { do: 'act', device: 1, act: { type: 'save', whom: 0 } },
        { do: 'next', picks: [3, 1, 1, 1, 0, 14, 11, 10, 21, 7, 1] },
        { do: 'erase', user: 1 },
      ],
    })
  })
})

describe('a device that comes back to a restored server', () => {
  const acquainted = { seed: 0, cast: [0, 2, 3], isAcquainted: true, outstandingBytes: 65536, hasTabs: false }

  test('[F1] gets everything again by a cursor of a store that was lost', async () => {
    await expectRight({
      ...acquainted,
      steps: [
        { do: 'backUpServer' },
        { do: 'loseServerStore' },
        { do: 'connect', device: 2 },
        { do: 'flow' },
        { do: 'restoreServer' },
        { do: 'flow' },
      ],
    })
  })

  test('[F1] gets everything again by a cursor of a run that began after the backup', async () => {
    await expectRight({
      ...acquainted,
      steps: [
        { do: 'backUpServer' },
        { do: 'killServer', losesFrames: false },
        { do: 'startServer' },
        { do: 'pass', seconds: 30, flows: true },
        { do: 'restoreServer' },
        { do: 'flow' },
      ],
    })
  })
})

describe('a database that was restored before its changes were sent', () => {
  test('[D2][D5] a restored database makes its changes again, beside those that the server received before', async () => {
    await expectRight({
      ...{ seed: 0, cast: [0, 2], isAcquainted: false, outstandingBytes: 65536, hasTabs: false },
      steps: [
        { do: 'act', device: 1, act: { type: 'save', whom: 0 } },
        { do: 'backUp', device: 1 },
        { do: 'partition', device: 0, isCut: true },
        { do: 'act', device: 0, act: { type: 'audience', audience: 'everyone' } },
        { do: 'next', picks: [0, 0, 3, 3, 7, 15] },
        { do: 'cut', pick: 1, told: 'both' },
        { do: 'act', device: 0, act: { type: 'unset', level: 0, field: 'name' } },
        { do: 'restore', device: 1 },
        { do: 'act', device: 1, act: { type: 'sync', whom: [0] } },
      ],
    })
  })
})

describe('while the disk is slow to confirm a change', () => {
  test('[F1] while the disk is slow to confirm a change, a device that catches up may already get its effects', async () => {
    await expectRight({
      ...{ seed: 281438562, cast: [0, 1, 2], isAcquainted: true, outstandingBytes: 65536, hasTabs: false },
      steps: [
        { do: 'slowDisk', isSlow: true },
        { do: 'act', device: 0, act: { type: 'hide', isHidden: true } },
        { do: 'restrict', user: 0, restricted: true },
        { do: 'act', device: 4, act: { type: 'save', whom: 0 } },
        { do: 'erase', user: 0 },
        { do: 'flow' },
        { do: 'act', device: 0, act: { type: 'hide', isHidden: false } },
        { do: 'watch', device: 0, whom: 0 },
        { do: 'next', picks: [0] },
        { do: 'connect', device: 0 },
        { do: 'act', device: 0, act: { type: 'set', level: 0, field: 'name' } },
      ],
    })
  })

  test('[D2][F1] while the disk is slow to confirm a change, a barrier may be answered before the effects of that change are sent', async () => {
    await expectRight({
      ...{ seed: 598785627, cast: [0, 2], isAcquainted: true, outstandingBytes: 65536, hasTabs: false },
      steps: [
        { do: 'act', device: 0, act: { type: 'set', level: 0, field: 'name' } },
        { do: 'slowDisk', isSlow: true },
        { do: 'act', device: 0, act: { type: 'unset', level: 0, field: 'name' } },
        { do: 'next', picks: [0, 0, 0, 0] },
        { do: 'next', picks: [0, 0, 0, 3] },
        { do: 'sync', device: 1 },
        { do: 'flow' },
      ],
    })
  })
})

describe('replicas that a device dropped by itself', () => {
  test('[F1][V7] a dropped replica is still fetched when the server sent the owner before it received the drop', async () => {
    await expectRight({
      ...{ seed: 0, cast: [0, 2], isAcquainted: true, outstandingBytes: 65536, hasTabs: false },
      steps: [
        { do: 'act', device: 0, act: { type: 'remove', whom: 0 } },
        { do: 'act', device: 1, act: { type: 'save', whom: 0, follows: false } },
        { do: 'act', device: 1, act: { type: 'save', whom: 0, follows: true } },
        { do: 'flow' },
      ],
    })
  })

  test('[F1][V7] a dropped replica is still fetched when the owner is erased meanwhile', async () => {
    await expectRight({
      ...{ seed: 0, cast: [0, 2], isAcquainted: true, outstandingBytes: 65536, hasTabs: false },
      steps: [
        { do: 'act', device: 0, act: { type: 'remove', whom: 0 } },
        { do: 'next', picks: [0] },
        { do: 'act', device: 1, act: { type: 'remove', whom: 0 } },
        { do: 'act', device: 1, act: { type: 'save', whom: 0, follows: true } },
        { do: 'erase', user: 0 },
        { do: 'flow' },
      ],
    })
  })
})

describe('a database that was restored before its changes were sent to any device', () => {
  test('[R2] a restored database may reuse the ids of lost changes for other changes', async () => {
    await expectRight({
      ...{ seed: 0, cast: [1], isAcquainted: false, outstandingBytes: 65536, hasTabs: false },
      steps: [
        { do: 'act', device: 0, act: { type: 'set', level: 0, field: 'name' } },
        { do: 'backUp', device: 0 },
        { do: 'act', device: 0, act: { type: 'set', level: 0, field: 'mood' } },
        { do: 'restore', device: 0 },
        { do: 'act', device: 0, act: { type: 'set', level: 0, field: 'name' } },
        { do: 'act', device: 0, act: { type: 'set', level: 0, field: 'name' } },
      ],
    })
  })
})

describe('a server that lacks what it had acknowledged', () => {
  const acquainted = { seed: 0, cast: [0, 2], isAcquainted: true, outstandingBytes: 65536, hasTabs: false }

  for (const [what, lost] of [
    ['revocation', { levels: [] }],
    ['block', { blocks: true }],
  ] as const) {
    test(`[V6][D6] on an older backup, a ${what} that was lost takes effect before an offline edit`, async () => {
      await expectRight({
        ...acquainted,
        steps: [
          { do: 'backUpServer' },
          { do: 'act', device: 0, act: { type: 'save', whom: 0, ...lost } },
          { do: 'flow' },
          { do: 'disconnect', device: 0 },
          { do: 'act', device: 0, act: { type: 'set', level: 1, field: 'mood' } },
          { do: 'act', device: 0, act: { type: 'hide', isHidden: true } },
          { do: 'restoreServer' },
          { do: 'pass', seconds: 20, flows: true },
          { do: 'connect', device: 0 },
          { do: 'flow' },
        ],
      })
    })
  }

  test('[D6] an empty store gets everything back from devices that come one after the other', async () => {
    await expectRight({
      ...acquainted,
      cast: [0, 1, 2],
      steps: [
        { do: 'connect', device: 1 },
        { do: 'flow' },
        { do: 'disconnect', device: 1 },
        { do: 'act', device: 1, act: { type: 'save', whom: 0, levels: [2], label: true } },
        { do: 'loseServerStore' },
        { do: 'flow' },
        { do: 'act', device: 0, act: { type: 'set', level: 2, field: 'name' } },
        { do: 'loseServerStore' },
        { do: 'connect', device: 1 },
        { do: 'flow' },
      ],
    })
  })

  test('[D6] changes acknowledged since the session began do not count as lost', async () => {
    await expectRight({
      ...acquainted,
      steps: [
        { do: 'revoke', user: 1 },
        { do: 'act', device: 1, act: { type: 'set', level: 0, field: 'name' } },
        { do: 'act', device: 3, act: { type: 'remove', whom: 0 } },
        { do: 'kill', device: 0, afterTurns: 0 },
        { do: 'register', user: 0, announceJoin: false },
        { do: 'flow' },
        { do: 'act', device: 3, act: { type: 'set', level: 0, field: 'name' } },
        { do: 'connect', device: 0 },
      ],
    })
  })

  test('[R2] a contact that two devices add concurrently is never absent on the server while the later device syncs', async () => {
    await expectRight({
      ...{ seed: 0, cast: [0, 1, 2], isAcquainted: true, outstandingBytes: 65536, hasTabs: false },
      steps: [
        { do: 'act', device: 4, act: { type: 'set', level: 0, field: 'name' } },
        { do: 'next', picks: [0, 0, 0] },
        { do: 'register', user: 0, announceJoin: false },
        { do: 'lose', device: 0 },
        { do: 'act', device: 0, act: { type: 'save', whom: 0 } },
        { do: 'act', device: 0, act: { type: 'hide', isHidden: false } },
        { do: 'act', device: 1, act: { type: 'sync', whom: [0] } },
        { do: 'killServer', losesFrames: false },
      ],
    })
  })

  test('[R2][D6] a follow that two devices make concurrently is never absent on a server that is refilled', async () => {
    await expectRight({
      ...{ seed: 188329593, cast: [0, 1, 2], isAcquainted: false, outstandingBytes: 65536, hasTabs: false },
      steps: [
        { do: 'act', device: 4, act: { type: 'audience', audience: 'contacts' } },
        { do: 'loseServerStore' },
        { do: 'act', device: 0, act: { type: 'save', whom: 0 } },
        { do: 'act', device: 10, act: { type: 'set', level: 0, field: 'name' } },
        { do: 'flow' },
        { do: 'act', device: 10, act: { type: 'confirm', whom: 0 } },
        { do: 'act', device: 0, act: { type: 'sync', whom: [0] } },
        { do: 'register', user: 0, announceJoin: false },
        { do: 'restartServer', compacts: false },
        { do: 'act', device: 0, act: { type: 'set', level: 0, field: 'name' } },
      ],
    })
  })
})

describe('additions of two devices that were concurrent', () => {
  test('[R2][D6] concurrent additions of two devices stay on the server when removals of the second are sent ahead of its additions', async () => {
    await expectRight({
      ...{ seed: 0, cast: [0, 1, 2], isAcquainted: false, outstandingBytes: 65536, hasTabs: false },
      steps: [
        { do: 'act', device: 0, act: { type: 'save', whom: 0 } },
        { do: 'act', device: 1, act: { type: 'remove', whom: 1 } },
        { do: 'act', device: 1, act: { type: 'set', level: 0, field: 'name' } },
        { do: 'act', device: 0, act: { type: 'unset', level: 0, field: 'name' } },
        { do: 'connect', device: 0 },
        { do: 'killServer', losesFrames: false },
        { do: 'act', device: 0, act: { type: 'audience', audience: 'everyone' } },
        { do: 'act', device: 1, act: { type: 'save', whom: 0 } },
        { do: 'next', picks: [0] },
      ],
    })
  })
})

describe('a server without room', () => {
  test('[R2][D6] a server without room keeps concurrent additions of two devices, although it refuses further ones of the second', async () => {
    await expectRight({
      ...{ seed: 178253003, cast: [0, 1, 2], isAcquainted: true, outstandingBytes: 65536, hasTabs: false },
      steps: [
        { do: 'limits', limits: { rosterBytes: 60 } },
        { do: 'pass', seconds: 5, flows: true },
        { do: 'failWrite', fault: 'refused' },
        { do: 'act', device: 1, act: { type: 'save', whom: 0, levels: [], follows: false } },
        { do: 'next', picks: [0] },
        { do: 'honest' },
        { do: 'pass', seconds: 5, flows: true },
        { do: 'act', device: 0, act: { type: 'sync', whom: [0] } },
        { do: 'connect', device: 0 },
        { do: 'act', device: 0, act: { type: 'confirm', whom: 0 } },
        { do: 'pass', seconds: 2, flows: false },
      ],
    })
  })
})

describe('a server with lower limits than before', () => {
  const acquainted = { seed: 0, cast: [0, 1, 2], isAcquainted: true, outstandingBytes: 65536, hasTabs: false }
  const comingBack = { do: 'pass', seconds: 20, flows: true } as const

  for (const [limit, limits] of [
    ['labels', { labelBytes: 2 }],
    ['names of fields', { fieldNameBytes: 2 }],
    ['levels', { profileLevels: 1 }],
    ['profiles', { profileBytes: 50 }],
    ['rosters', { rosterBytes: 60 }],
    ['relations', { relations: 1 }],
  ] as const) {
    test(`[D5][D6] a server that has lost its store and takes smaller ${limit} leaves on the devices what it refuses, and gets it when it takes more again`, async () => {
      await expectRight({
        ...acquainted,
        steps: [
          { do: 'connect', device: 1 },
          { do: 'act', device: 0, act: { type: 'save', whom: 0, label: true } },
          { do: 'act', device: 0, act: { type: 'save', whom: 1, levels: [0, 2] } },
          { do: 'flow' },
          { do: 'disconnect', device: 1 },
          { do: 'limits', limits },
          { do: 'loseServerStore' },
          { do: 'act', device: 0, act: { type: 'set', level: 2, field: 'mood' } },
          comingBack,
          { do: 'sync', device: 0 },
          { do: 'act', device: 0, act: { type: 'save', whom: 0, blocks: true } },
          { do: 'connect', device: 1 },
          comingBack,
          { do: 'close', device: 0 },
          { do: 'connect', device: 0 },
          comingBack,
        ],
      })
    })
  }

  test('[R2] of a contact that was removed and put again, the old grants are removed in the first piece of what the server lacks, and the contact stays', async () => {
    await expectRight({
      ...acquainted,
      cast: [0, 2],
      steps: [
        { do: 'act', device: 0, act: { type: 'save', whom: 0, levels: null, blocks: true } },
        { do: 'limits', limits: { labelBytes: 2, profileLevels: 1, rosterBytes: 150 } },
        { do: 'pass', seconds: 5, flows: true },
        { do: 'act', device: 0, act: { type: 'audience', audience: 'nobody' } },
        { do: 'next', picks: [1] },
        { do: 'act', device: 0, act: { type: 'autoSync', isOn: false } },
        { do: 'act', device: 0, act: { type: 'save', whom: 0, levels: [0], label: true } },
        comingBack,
      ],
    })
  })
})

describe('a dishonest server', () => {
  const acquainted = { seed: 0, cast: [0, 1, 2], isAcquainted: true, outstandingBytes: 65536, hasTabs: false }
  const comingBack = { do: 'pass', seconds: 20, flows: true } as const

  for (const [what, hostility] of [
    ['refuses every change and has nothing', 'refuses all'],
    ['refuses every change', 'refuses true'],
    ['refuses what is of the profile and has nothing', 'refuses profiles'],
    ['says that it takes everything and keeps nothing', 'forgets'],
    ['closes because of each change as of one that is too large', 'too large'],
  ] as const) {
    test(`[D6] a server that ${what} removes nothing from a device, and an honest server gets everything after it`, async () => {
      await expectRight({
        ...acquainted,
        steps: [
          { do: 'connect', device: 1 },
          { do: 'act', device: 0, act: { type: 'save', whom: 0, label: true } },
          { do: 'flow' },
          { do: 'hostile', hostility },
          { do: 'act', device: 0, act: { type: 'set', level: 2, field: 'mood' } },
          { do: 'act', device: 0, act: { type: 'save', whom: 1, levels: [1] } },
          comingBack,
          { do: 'act', device: 1, act: { type: 'save', whom: 0, levels: [2] } },
          comingBack,
          { do: 'honest' },
          { do: 'act', device: 0, act: { type: 'set', level: 1, field: 'name' } },
          comingBack,
        ],
      })
    })
  }

  test('[D6][V6] a grant that a dishonest server refused, and that another device revoked at an honest server, is not made again', async () => {
    await expectRight({
      ...acquainted,
      steps: [
        { do: 'connect', device: 1 },
        { do: 'flow' },
        { do: 'disconnect', device: 1 },
        { do: 'hostile', hostility: 'refuses all' },
        comingBack,
        { do: 'disconnect', device: 0 },
        { do: 'honest' },
        { do: 'act', device: 1, act: { type: 'save', whom: 0, levels: [] } },
        { do: 'connect', device: 1 },
        comingBack,
        { do: 'connect', device: 0 },
        comingBack,
      ],
    })
  })

  test('[R4][D6] the audience `nobody` counts on both devices while a server refuses it and has the wider audience before it', async () => {
    await expectRight({
      ...acquainted,
      isAcquainted: false,
      steps: [
        { do: 'act', device: 1, act: { type: 'audience', audience: 'contacts' } },
        { do: 'connect', device: 0 },
        { do: 'flow' },
        { do: 'act', device: 0, act: { type: 'audience', audience: 'nobody' } },
        { do: 'next', picks: [0, 0] },
        { do: 'hostile', hostility: 'refuses all' },
        { do: 'pass', seconds: 5, flows: true },
      ],
    })
  })

  test('[R6][D6] of two concurrent values of a field either may be shown while a server refuses the values that are made again', async () => {
    await expectRight({
      ...acquainted,
      seed: 242960360,
      steps: [
        { do: 'act', device: 1, act: { type: 'set', level: 0, field: 'name' } },
        { do: 'flow' },
        { do: 'hostile', hostility: 'refuses all' },
        { do: 'pass', seconds: 5, flows: true },
      ],
    })
  })

  test('[D6] a field that one device made again stays when another device brings the original to a server that lost its store', async () => {
    await expectRight({
      ...{ seed: 0, cast: [0, 1, 2, 3, 4], isAcquainted: true, outstandingBytes: 65536, hasTabs: false },
      steps: [
        { do: 'act', device: 6, act: { type: 'save', whom: 0 } },
        { do: 'flow' },
        { do: 'limits', limits: { profileLevels: 1 } },
        { do: 'pass', seconds: 5, flows: true },
        { do: 'disconnect', device: 1 },
        { do: 'flow' },
        { do: 'loseServerStore' },
        { do: 'pass', seconds: 5, flows: true },
        { do: 'act', device: 0, act: { type: 'sync', whom: [0] } },
        { do: 'restartServer', compacts: false },
        { do: 'hostile', hostility: 'refuses all' },
        { do: 'pass', seconds: 5, flows: true },
      ],
    })
  })

  test('[D5][V6] a field that was set after a block is sent though a server has no room for the block', async () => {
    await expectRight({
      ...{ seed: 0, cast: [0, 2], isAcquainted: true, outstandingBytes: 65536, hasTabs: false },
      steps: [
        { do: 'send', device: 0, whom: 0 },
        { do: 'act', device: 0, act: { type: 'save', whom: 0, blocks: true } },
        { do: 'backUpServer' },
        { do: 'pass', seconds: 5, flows: true },
        { do: 'act', device: 0, act: { type: 'set', level: 0, field: 'name' } },
        { do: 'limits', limits: {} },
        { do: 'pass', seconds: 5, flows: true },
        { do: 'act', device: 0, act: { type: 'set', level: 0, field: 'name' } },
        { do: 'startServer' },
        { do: 'limits', limits: { rosterBytes: 60 } },
        { do: 'pass', seconds: 5, flows: true },
      ],
    })
  })

  test('[D6] a field that two devices make again stays, whichever of them writes the entry that counts', async () => {
    // In the second history, the entry of the device that comes last counts.
    for (const seed of [3, 1]) {
      await expectRight({
        ...{ seed, cast: [0, 2, 3], isAcquainted: true, outstandingBytes: 65536, hasTabs: false },
        steps: [
          { do: 'connect', device: 2 },
          { do: 'flow' },
          { do: 'hostile', hostility: 'refuses all' },
          { do: 'pass', seconds: 5, flows: true },
          { do: 'loseServerStore' },
          { do: 'honest' },
          { do: 'pass', seconds: 5, flows: true },
        ],
      })
    }
  })

  test('[D2][D5] an audience that a server refused, and that stays on the device, is not missed on the disk once the device has synced', async () => {
    await expectRight({
      ...{ seed: 0, cast: [0, 2], isAcquainted: false, outstandingBytes: 65536, hasTabs: false },
      steps: [
        { do: 'watch', device: 3, whom: 0 },
        { do: 'backUpServer' },
        { do: 'pass', seconds: 5, flows: true },
        { do: 'act', device: 3, act: { type: 'audience', audience: 'contacts' } },
        { do: 'hostile', hostility: 'refuses all' },
        { do: 'pass', seconds: 5, flows: true },
        { do: 'honest' },
        { do: 'pass', seconds: 5, flows: true },
        { do: 'sync', device: 9 },
        { do: 'watch', device: 0, whom: 0 },
        { do: 'sync', device: 9 },
        { do: 'pair', a: 0, b: 0, isPaired: false },
        { do: 'act', device: 0, act: { type: 'remove', whom: 0 } },
        { do: 'cut', pick: 0, told: 'both' },
        { do: 'backUpServer' },
        { do: 'pass', seconds: 5, flows: true },
      ],
    })
  })

  test('[D6][V5] a field that two devices both make again is removed before it is set again, so it is absent for a moment and then present', async () => {
    await expectRight({
      ...acquainted,
      cast: [0, 1, 2, 3, 4],
      steps: [
        { do: 'act', device: 3, act: { type: 'save', whom: 0, follows: true } },
        { do: 'flow' },
        { do: 'hostile', hostility: 'refuses profiles' },
        { do: 'pass', seconds: 5, flows: true },
        { do: 'loseServerStore' },
        { do: 'honest' },
        { do: 'pass', seconds: 5, flows: true },
      ],
    })
  })

  for (const [what, hostility] of [
    ['finds it too large', 'too large'],
    ['refuses it', 'refuses all'],
  ] as const) {
    test(`[D5][D6] a refused unfollow stays after a server without the follow ${what}`, async () => {
      await expectRight({
        ...acquainted,
        cast: [0, 2],
        steps: [
          { do: 'act', device: 0, act: { type: 'sync', whom: [0], follows: false } },
          { do: 'hostile', hostility: 'refuses true' },
          { do: 'pass', seconds: 5, flows: true },
          { do: 'hostile', hostility },
          { do: 'pass', seconds: 5, flows: true },
          { do: 'honest' },
          { do: 'pass', seconds: 5, flows: true },
        ],
      })
    })

    test(`[D5][D6] a refused label stays after a server without the former label ${what}`, async () => {
      await expectRight({
        ...acquainted,
        steps: [
          { do: 'act', device: 0, act: { type: 'save', whom: 0, label: true } },
          { do: 'flow' },
          { do: 'act', device: 0, act: { type: 'save', whom: 0, label: true } },
          { do: 'hostile', hostility: 'refuses true' },
          { do: 'pass', seconds: 5, flows: true },
          { do: 'hostile', hostility },
          { do: 'pass', seconds: 5, flows: true },
          { do: 'honest' },
          { do: 'pass', seconds: 5, flows: true },
        ],
      })
    })
  }

  test('[D7] a device that got an account from a server which refuses changes does not restore the account after its erasure', async () => {
    await expectRight({
      ...acquainted,
      steps: [
        { do: 'act', device: 1, act: { type: 'set', level: 0, field: 'name' } },
        { do: 'hostile', hostility: 'refuses true' },
        { do: 'pass', seconds: 5, flows: true },
        { do: 'erase', user: 0 },
        { do: 'honest' },
        comingBack,
      ],
    })
  })

  test('[D5][D6] a refused value that the user set last stays visible when a server without a store also refuses the former value', async () => {
    await expectRight({
      ...{ seed: 0, cast: [0, 2], isAcquainted: true, outstandingBytes: 65536, hasTabs: false },
      steps: [
        { do: 'limits', limits: { fieldNameBytes: 2 } },
        { do: 'pass', seconds: 5, flows: true },
        { do: 'act', device: 0, act: { type: 'set', level: 0, field: 'name' } },
        { do: 'next', picks: [2] },
        { do: 'connect', device: 2 },
        { do: 'honest' },
        { do: 'pass', seconds: 5, flows: true },
        { do: 'cut', pick: 0, told: 'both' },
        { do: 'next', picks: [0] },
        { do: 'loseServerStore' },
        { do: 'pass', seconds: 5, flows: true },
        { do: 'flow' },
      ],
    })
  })

  test('[D5][D6] a value that one server acknowledged and did not keep stays in view when other servers refuse it and the value before it', async () => {
    await expectRight({
      ...{ seed: 0, cast: [0, 2], isAcquainted: true, outstandingBytes: 65536, hasTabs: false },
      steps: [
        { do: 'act', device: 0, act: { type: 'set', level: 0, field: 'name' } },
        { do: 'hostile', hostility: 'forgets' },
        { do: 'pass', seconds: 5, flows: true },
        { do: 'hostile', hostility: 'refuses true' },
        { do: 'pass', seconds: 5, flows: true },
        { do: 'hostile', hostility: 'refuses all' },
        { do: 'pass', seconds: 5, flows: true },
      ],
    })
  })

  test('[R4][D6] an audience that the user widens shows as it was set, though a server refuses the narrower one before it', async () => {
    await expectRight({
      ...{ seed: 0, cast: [0, 2], isAcquainted: false, outstandingBytes: 65536, hasTabs: false },
      steps: [
        { do: 'act', device: 1, act: { type: 'audience', audience: 'nobody' } },
        { do: 'hostile', hostility: 'refuses all' },
        { do: 'pass', seconds: 5, flows: true },
        { do: 'act', device: 1, act: { type: 'audience', audience: 'contacts' } },
        { do: 'honest' },
        { do: 'pass', seconds: 5, flows: true },
      ],
    })
  })

  test('[R4][D6] an audience that the user widens while a server refuses the narrower one stays wide when the next server has the narrower one', async () => {
    await expectRight({
      ...{ seed: 0, cast: [0, 2], isAcquainted: false, outstandingBytes: 65536, hasTabs: false },
      steps: [
        { do: 'act', device: 1, act: { type: 'audience', audience: 'nobody' } },
        { do: 'flow' },
        { do: 'hostile', hostility: 'refuses all' },
        { do: 'pass', seconds: 5, flows: true },
        { do: 'act', device: 1, act: { type: 'audience', audience: 'everyone' } },
        { do: 'honest' },
        { do: 'pass', seconds: 5, flows: true },
      ],
    })
  })

  test('[R2][D6] a follow that a device refused by one server makes again stands when another server brings back older entries that were removed', async () => {
    await expectRight({
      ...{ seed: 0, cast: [0, 2, 3], isAcquainted: false, outstandingBytes: 65536, hasTabs: false },
      steps: [
        { do: 'act', device: 1, act: { type: 'save', whom: 0 } },
        { do: 'act', device: 2, act: { type: 'save', whom: 0, follows: false } },
        { do: 'pass', seconds: 130, flows: false },
        { do: 'pass', seconds: 5, flows: true },
        { do: 'act', device: 1, act: { type: 'save', whom: 0, follows: true } },
        { do: 'hostile', hostility: 'refuses all' },
        { do: 'pass', seconds: 5, flows: true },
      ],
    })
  })

  for (const [what, act] of [
    ['follow that a device ended', { type: 'save', whom: 0, follows: false }],
    ['grant that a device revoked', { type: 'save', whom: 0, levels: [] }],
  ] as const) {
    test(`[D6][V6] a ${what} stays so when another device, which has not received that change, makes it again on a server that lost its store`, async () => {
      await expectRight({
        ...{ seed: 0, cast: [0, 1, 2], isAcquainted: true, outstandingBytes: 65536, hasTabs: false },
        steps: [
          { do: 'act', device: 1, act: { type: 'hide', isHidden: false } },
          { do: 'hostile', hostility: 'refuses true' },
          { do: 'pass', seconds: 5, flows: true },
          { do: 'act', device: 0, act },
          { do: 'hostile', hostility: 'refuses all' },
          { do: 'pass', seconds: 5, flows: true },
          { do: 'loseServerStore' },
          { do: 'pass', seconds: 5, flows: true },
        ],
      })
    })
  }

  test('[D6][V6] a grant that one server lost and refused, and that the user revokes before the next server, stays revoked there', async () => {
    await expectRight({
      ...{ seed: 0, cast: [0, 2], isAcquainted: true, outstandingBytes: 65536, hasTabs: false },
      steps: [
        { do: 'act', device: 0, act: { type: 'audience', audience: 'everyone' } },
        { do: 'hostile', hostility: 'refuses all' },
        { do: 'pass', seconds: 5, flows: true },
        { do: 'limits', limits: {} },
        { do: 'pass', seconds: 5, flows: true },
        { do: 'act', device: 0, act: { type: 'sync', whom: [0], levels: [] } },
        { do: 'partition', device: 0, isCut: false },
      ],
    })
  })

  test('[R2][D6] a field that the user sets and removes while one server refuses everything stays removed on the next server, which has the original', async () => {
    await expectRight({
      ...{ seed: 0, cast: [0, 2], isAcquainted: true, outstandingBytes: 65536, hasTabs: false },
      steps: [
        { do: 'hostile', hostility: 'refuses all' },
        { do: 'pass', seconds: 5, flows: true },
        { do: 'act', device: 0, act: { type: 'set', level: 0, field: 'name' } },
        { do: 'act', device: 0, act: { type: 'unset', level: 0, field: 'name' } },
        { do: 'honest' },
        { do: 'pass', seconds: 5, flows: true },
      ],
    })
  })

  test('[V6][D6] an edit made after a revocation waits for it, also when a server brings the grant back that another one had refused to remove', async () => {
    await expectRight({
      ...{ seed: 0, cast: [0, 1, 2], isAcquainted: true, outstandingBytes: 65536, hasTabs: false },
      steps: [
        { do: 'act', device: 8, act: { type: 'save', whom: 0, levels: [] } },
        { do: 'act', device: 8, act: { type: 'set', level: 2, field: 'name' } },
        { do: 'hostile', hostility: 'too large' },
        { do: 'pass', seconds: 5, flows: true },
        { do: 'honest' },
        { do: 'pass', seconds: 5, flows: true },
        { do: 'connect', device: 0 },
        { do: 'next', picks: [0] },
        { do: 'act', device: 0, act: { type: 'remove', whom: 1 } },
        { do: 'flow' },
        { do: 'act', device: 0, act: { type: 'save', whom: 0 } },
      ],
    })
  })

  test('[D5][D6] a follow whose end one server refused, and a later one does not have, stays ended when another device makes it again', async () => {
    await expectRight({
      ...{ seed: 0, cast: [0, 2, 3], isAcquainted: true, outstandingBytes: 65536, hasTabs: false },
      steps: [
        { do: 'act', device: 1, act: { type: 'remove', whom: 1 } },
        { do: 'watch', device: 5, whom: 0 },
        { do: 'next', picks: [0, 0] },
        { do: 'pass', seconds: 2, flows: false },
        { do: 'hostile', hostility: 'refuses true' },
        { do: 'pass', seconds: 5, flows: true },
        { do: 'loseServerStore' },
        { do: 'pass', seconds: 5, flows: true },
        { do: 'hostile', hostility: 'refuses all' },
        { do: 'pass', seconds: 5, flows: true },
        { do: 'startServer' },
        { do: 'lose', device: 0 },
      ],
    })
  })

  test('[D5][D6] a refused change of a contact stays visible when a server without a store also refuses the former value', async () => {
    await expectRight({
      ...{ seed: 0, cast: [0, 2], isAcquainted: true, outstandingBytes: 65536, hasTabs: false },
      steps: [
        { do: 'hostile', hostility: 'refuses true' },
        { do: 'pass', seconds: 5, flows: true },
        { do: 'act', device: 0, act: { type: 'save', whom: 0, follows: false } },
        { do: 'flow' },
        { do: 'erase', user: 1 },
        { do: 'killTab', device: 0, afterTurns: 0 },
        { do: 'hostile', hostility: 'too large' },
        { do: 'pass', seconds: 5, flows: true },
        { do: 'watch', device: 0, whom: 0 },
        { do: 'limits', limits: {} },
        { do: 'pass', seconds: 5, flows: true },
      ],
    })
  })
})

describe('what another device writes while a device comes back', () => {
  test('[D6] a roster that two devices made again stays when the first brings it to a server that has the original, while the second comes back', async () => {
    await expectRight({
      ...world,
      ...{ seed: 1, cast: [0, 2, 3], isAcquainted: true },
      steps: [
        { do: 'connect', device: 2 },
        { do: 'flow' },
        { do: 'hostile', hostility: 'refuses all' },
        { do: 'flow' },
        { do: 'pass', seconds: 5, flows: true },
        { do: 'flow' },
        { do: 'honest' },
        { do: 'close', device: 1 },
        { do: 'close', device: 2 },
        { do: 'connect', device: 1 },
        { do: 'connect', device: 2 },
        { do: 'next', picks: [0, 0, 3, 3, 4, 3, 4] },
        { do: 'flow' },
      ],
    })
  })
})

test('[D5] of a label that was set and removed before it was sent, only the removal is made again upon a roster that was refounded', async () => {
  await expectRight({
    ...{ seed: 0, cast: [0, 2], isAcquainted: true, outstandingBytes: 65536, hasTabs: false },
    steps: [
      { do: 'refound', user: 0, document: 'roster' },
      { do: 'act', device: 0, act: { type: 'save', whom: 0, label: true } },
      { do: 'act', device: 0, act: { type: 'save', whom: 0, label: false } },
      { do: 'sync', device: 0 },
      { do: 'act', device: 0, act: { type: 'unset', level: 0, field: 'name' } },
      { do: 'send', device: 0, whom: 0 },
      { do: 'flow' },
      { do: 'act', device: 0, act: { type: 'confirm', whom: 0 } },
      { do: 'lose', device: 3 },
    ],
  })
})

test('[D6] a removal that a server acknowledged and forgot, before it refounded the roster, is made again by the device that had seen all of it', async () => {
  await expectRight({
    ...{ seed: 0, cast: [0, 2], isAcquainted: true, outstandingBytes: 65536, hasTabs: false },
    steps: [
      { do: 'refound', user: 0, document: 'roster' },
      { do: 'slowNetwork', isSlow: false },
      { do: 'act', device: 0, act: { type: 'confirm', whom: 0 } },
      { do: 'act', device: 0, act: { type: 'save', whom: 0 } },
      { do: 'hostile', hostility: 'forgets' },
      { do: 'pass', seconds: 5, flows: true },
      { do: 'act', device: 0, act: { type: 'remove', whom: 0 } },
      { do: 'next', picks: [0, 0, 0] },
    ],
  })
})

test('[D6] a device fills a server that has lost its store with a roster that was refounded, in pieces', async () => {
  await expectRight({
    ...{ seed: 0, cast: [0, 2], isAcquainted: true, outstandingBytes: 65536, hasTabs: false },
    steps: [
      { do: 'refound', user: 0, document: 'roster' },
      { do: 'flow' },
      { do: 'pass', seconds: 5, flows: true },
      { do: 'limits', limits: { rosterBytes: 60 } },
      { do: 'pass', seconds: 5, flows: true },
      { do: 'connect', device: 0 },
      { do: 'loseServerStore' },
      { do: 'pass', seconds: 5, flows: true },
    ],
  })
})

test('[D6] a removal that a server refused, with all that it did not have, is made again upon a roster that was refounded with the entry', async () => {
  await expectRight({
    ...{ seed: 0, cast: [0, 2, 3], isAcquainted: true, outstandingBytes: 65_536, hasTabs: false },
    steps: [
      { do: 'act', device: 4, act: { type: 'remove', whom: 0 } },
      { do: 'hostile', hostility: 'refuses all' },
      { do: 'pass', seconds: 5, flows: true },
      { do: 'refound', user: 1, document: 'roster' },
    ],
  })
})

test.each([
  ['a contact', { type: 'remove', whom: 0 }],
  ['a follow', { type: 'save', whom: 0, follows: false }],
] as const)(
  '[R4][D6] %s that was removed does not come back with a refounded roster to a device of which a server refused everything',
  async (_, act) => {
    await expectRight({
      ...{ seed: 0, cast: [0, 2], isAcquainted: true, outstandingBytes: 65_536, hasTabs: false },
      steps: [
        { do: 'act', device: 0, act },
        { do: 'refound', user: 0, document: 'roster' },
        { do: 'hostile', hostility: 'refuses all' },
        { do: 'pass', seconds: 5, flows: true },
        { do: 'honest' },
        { do: 'pass', seconds: 5, flows: true },
      ],
    })
  },
)

test('[R4][D6] a contact that was removed after the roster was refounded does not come back to a device of which a server refused everything', async () => {
  await expectRight({
    ...{ seed: 0, cast: [0, 1], isAcquainted: true, outstandingBytes: 65_536, hasTabs: false },
    steps: [
      { do: 'refound', user: 0, document: 'roster' },
      { do: 'act', device: 1, act: { type: 'sync', whom: [1], levels: [1], follows: true } },
      { do: 'sync', device: 1 },
      { do: 'sync', device: 0 },
      { do: 'pass', seconds: 5, flows: true },
      { do: 'act', device: 0, act: { type: 'set', level: 1, field: 'mood' } },
      { do: 'pass', seconds: 5, flows: true },
      { do: 'pass', seconds: 5, flows: true },
      { do: 'hostile', hostility: 'refuses all' },
      { do: 'act', device: 0, act: { type: 'remove', whom: 1 } },
      { do: 'pass', seconds: 5, flows: true },
      { do: 'honest' },
      { do: 'pass', seconds: 5, flows: true },
    ],
  })
})

test('[D5] settings that did not fit stay staged, and the next save writes them when there is room', async () => {
  await expectRight({
    ...{ seed: 0, cast: [0, 2], isAcquainted: false, outstandingBytes: 65_536, hasTabs: false },
    steps: [
      { do: 'limits', limits: { rosterBytes: 60 } },
      { do: 'pass', seconds: 5, flows: true },
      { do: 'act', device: 0, act: { type: 'autoSync', isOn: false } },
      { do: 'flow' },
      { do: 'act', device: 0, act: { type: 'save', whom: 0, levels: [1, 2] } },
      { do: 'hostile', hostility: 'refuses all' },
      { do: 'pass', seconds: 5, flows: true },
      { do: 'act', device: 0, act: { type: 'save', whom: 0 } },
    ],
  })
})

test('[V6][R6] a follow that another device set and removed at the same time is gone before the removing edit arrives', async () => {
  await expectRight({
    ...{ seed: 0, cast: [0, 1, 2, 3, 4], isAcquainted: true, outstandingBytes: 65_536, hasTabs: false },
    steps: [
      { do: 'act', device: 6, act: { type: 'set', level: 0, field: 'name' } },
      { do: 'hostile', hostility: 'refuses all' },
      { do: 'pass', seconds: 5, flows: true },
      { do: 'act', device: 6, act: { type: 'set', level: 0, field: 'name' } },
      { do: 'act', device: 0, act: { type: 'confirm', whom: 0 } },
      { do: 'act', device: 1, act: { type: 'remove', whom: 0 } },
      { do: 'act', device: 0, act: { type: 'audience', audience: 'everyone' } },
      { do: 'cut', pick: 0, told: 'both' },
      { do: 'lose', device: 2 },
      { do: 'freeze', device: 0 },
    ],
  })
})

test('[F3] the app is told once that a user joined if the connection ends between the notice and the profile', async () => {
  await expectRight({
    ...{ seed: 0, cast: [0, 2], isAcquainted: false, outstandingBytes: 65_536, hasTabs: false },
    steps: [
      { do: 'act', device: 0, act: { type: 'confirm', whom: 0 } },
      { do: 'flow' },
      { do: 'restrict', user: 1, restricted: false },
      { do: 'restartServer', compacts: false },
      { do: 'next', picks: [0] },
      { do: 'watch', device: 0, whom: 0 },
      { do: 'killServer', losesFrames: true },
      { do: 'send', device: 0, whom: 0 },
    ],
  })
})

test('[D4] a roster may be refounded while the server has only a part of a change', async () => {
  await expectRight({
    ...{ seed: 0, cast: [0, 2], isAcquainted: false, outstandingBytes: 65_536, hasTabs: false },
    steps: [
      { do: 'act', device: 0, act: { type: 'save', whom: 0, levels: [], blocks: true } },
      { do: 'limits', limits: { rosterBytes: 60 } },
      { do: 'next', picks: [0, 0, 0, 0, 0, 0] },
      { do: 'next', picks: [0, 0, 0, 0, 0, 0, 0, 0] },
      { do: 'refound', user: 0, document: 'roster' },
    ],
  })
})

test.each([
  ['a follow', {}, { follows: false }],
  ['a grant', { levels: [1] }, { levels: null }],
])(
  '[R1][R4] %s that one device removed does not come back from a device whose copy another server refused, when the roster is refounded meanwhile',
  async (_, given, taken) => {
    await expectRight({
      ...world,
      cast: [0, 1, 2],
      steps: [
        { do: 'killServer', losesFrames: false },
        { do: 'act', device: 1, act: { type: 'autoSync', isOn: false } },
        { do: 'act', device: 0, act: { type: 'save', whom: 0, ...given } },
        { do: 'loseServerStore' },
        { do: 'pass', seconds: 5, flows: true },
        { do: 'act', device: 0, act: { type: 'save', whom: 0, ...taken } },
        { do: 'hostile', hostility: 'refuses all' },
        { do: 'pass', seconds: 5, flows: true },
        { do: 'refound', user: 0, document: 'roster' },
        { do: 'next', picks: [0] },
        { do: 'act', device: 0, act: { type: 'audience', audience: 'everyone' } },
      ],
    })
  },
)

test.each<[string, 'roster' | 'profile', Act]>([
  ['a grant is revoked', 'roster', { type: 'save', whom: 0, levels: null }],
  ['a follow is ended', 'roster', { type: 'save', whom: 0, follows: false }],
  ['a contact is removed', 'roster', { type: 'remove', whom: 0 }],
  ['a field is set', 'profile', { type: 'set', level: 0, field: 'name' }],
  ['a field is unset', 'profile', { type: 'unset', level: 0, field: 'name' }],
])(
  '[R1][R4][V5] %s by a device that has not seen a refounding, which fills a server that lost its store: it stays so when a device of the lost generation returns',
  async (_, document, act) => {
    await expectRight({
      ...world,
      isAcquainted: true,
      steps: [
        { do: 'refound', user: 0, document },
        { do: 'act', device: 1, act: { type: 'hide', isHidden: false } },
        { do: 'flow' },
        { do: 'act', device: 0, act },
        { do: 'loseServerStore' },
        { do: 'connect', device: 0 },
        { do: 'flow' },
      ],
    })
  },
)

describe('what the judge of the histories must not take for an error', () => {
  test('[R1][D6] a field that was set and removed while a server refused profiles is absent, whichever value Yjs would choose', async () => {
    await expectRight({
      ...{ seed: 0, cast: [0, 2], isAcquainted: true, outstandingBytes: 65_536, hasTabs: false },
      steps: [
        { do: 'limits', limits: { fieldNameBytes: 2 } },
        { do: 'pass', seconds: 5, flows: true },
        { do: 'act', device: 0, act: { type: 'save', whom: 0, follows: false } },
        { do: 'hostile', hostility: 'refuses profiles' },
        { do: 'pass', seconds: 5, flows: true },
        { do: 'act', device: 0, act: { type: 'set', level: 0, field: 'name' } },
        { do: 'act', device: 0, act: { type: 'unset', level: 0, field: 'name' } },
        { do: 'honest' },
        { do: 'pass', seconds: 5, flows: true },
        { do: 'send', device: 0, whom: 0 },
        { do: 'hostile', hostility: 'refuses all' },
        { do: 'pass', seconds: 5, flows: true },
        { do: 'sync', device: 0 },
        { do: 'turn', device: 0 },
        { do: 'watch', device: 0, whom: 0 },
        { do: 'restartServer', compacts: false },
      ],
    })
  })

  test('[D1] a tab sees what another tab saves in a restored database, which does not give out numbers again', async () => {
    await expectRight({
      ...{ seed: 0, cast: [0, 2], isAcquainted: false, outstandingBytes: 65_536, hasTabs: true },
      steps: [
        { do: 'act', device: 0, act: { type: 'audience', audience: 'everyone' } },
        { do: 'backUp', device: 0 },
        { do: 'restore', device: 0 },
        { do: 'openTab', device: 0 },
        { do: 'act', device: 0, act: { type: 'set', level: 0, field: 'name' } },
      ],
    })
  })

  test('[F3] the notice of an announced registration arrives after the user was erased and registered silently', async () => {
    await expectRight({
      ...{ seed: 0, cast: [0, 2], isAcquainted: false, outstandingBytes: 65_536, hasTabs: false },
      steps: [
        { do: 'act', device: 0, act: { type: 'confirm', whom: 0 } },
        { do: 'flow' },
        { do: 'restrict', user: 1, restricted: false },
        { do: 'erase', user: 1 },
        { do: 'register', user: 1, announceJoin: false },
      ],
    })
  })

  test('[R2][F3] a device fills an empty server in pieces, and a block comes in a later one', async () => {
    await expectRight({
      ...{ seed: 0, cast: [0, 2], isAcquainted: true, outstandingBytes: 65_536, hasTabs: false },
      steps: [
        { do: 'act', device: 0, act: { type: 'save', whom: 1, levels: [], follows: false, blocks: true } },
        { do: 'limits', limits: {} },
        { do: 'pass', seconds: 5, flows: true },
        { do: 'limits', limits: {} },
        { do: 'pass', seconds: 5, flows: true },
        { do: 'limits', limits: { rosterBytes: 60 } },
        { do: 'pass', seconds: 5, flows: true },
        { do: 'cut', pick: 0, told: 'both' },
        { do: 'loseServerStore' },
        { do: 'pass', seconds: 5, flows: true },
        { do: 'act', device: 0, act: { type: 'save', whom: 0 } },
        { do: 'act', device: 0, act: { type: 'set', level: 0, field: 'name' } },
        { do: 'next', picks: [0] },
        { do: 'flow' },
        { do: 'cut', pick: 0, told: 'both' },
        { do: 'hostile', hostility: 'refuses all' },
        { do: 'pass', seconds: 5, flows: true },
      ],
    })
  })
})
