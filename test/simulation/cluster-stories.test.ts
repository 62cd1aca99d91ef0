import { describe, test } from 'vitest'
import { expectRight } from './histories/expect-right.ts'

/** Failures found by random histories of several nodes, each shrunk to a story. */
const world = {
  ...{ seed: 0, cast: [0, 1, 2, 3, 4], isAcquainted: false, outstandingBytes: 65_536, hasTabs: false },
  nodes: 2,
}

describe('devices of one user on several nodes', () => {
  test('[F1] a user whom another device declines and follows again is shown again, also if a node reports both changes at once', async () => {
    await expectRight({
      ...world,
      ...{ cast: [0, 1, 2], isAcquainted: true, nodes: 3 },
      steps: [
        { do: 'act', device: 4, act: { type: 'autoSync', isOn: false } },
        { do: 'flow' },
        { do: 'restrict', user: 0, restricted: false },
        { do: 'act', device: 0, act: { type: 'save', whom: 0, follows: false } },
        { do: 'next', picks: [0] },
        { do: 'act', device: 0, act: { type: 'set', level: 0, field: 'name' } },
        { do: 'turn', device: 0 },
        { do: 'act', device: 0, act: { type: 'save', whom: 0, follows: true } },
      ],
    })
  })

  test('[F1] a user whom another device declines and follows again is shown again, also if a node looks when both changes are reported', async () => {
    await expectRight({
      ...world,
      ...{ seed: 48, cast: [0, 1, 2], isAcquainted: true },
      steps: [
        { do: 'connect', device: 1 },
        { do: 'flow' },
        { do: 'move', device: 1, node: 1 },
        { do: 'connect', device: 1 },
        { do: 'flow' },
        { do: 'slowNode', node: 1, isSlow: true },
        { do: 'act', device: 0, act: { type: 'save', whom: 0, follows: false } },
        { do: 'next', picks: [2, 4] },
        { do: 'act', device: 0, act: { type: 'save', whom: 0, follows: true } },
        { do: 'next', picks: [2, 0, 1, 0, 2] },
        { do: 'flow' },
      ],
    })
  })

  test('[F1] a device that goes to a node which is late gets what changed since its cursor', async () => {
    await expectRight({
      ...world,
      ...{ cast: [0, 2], isAcquainted: true },
      steps: [
        { do: 'move', device: 1, node: 0 },
        { do: 'connect', device: 1 },
        { do: 'flow' },
        { do: 'act', device: 0, act: { type: 'set', level: 1, field: 'mood' } },
        { do: 'next', picks: [0, 0, 0, 0] },
        { do: 'move', device: 1, node: 1 },
        { do: 'connect', device: 1 },
        { do: 'next', picks: [0, 0, 0] },
        { do: 'flow' },
      ],
    })
  })

  test('[R1] a block on one node is on the user’s device on another node, which asks for the roster at that time', async () => {
    await expectRight({
      ...world,
      ...{ cast: [0, 2, 3], isAcquainted: true, nodes: 3 },
      steps: [
        { do: 'killNode', node: 1, losesFrames: false },
        { do: 'act', device: 0, act: { type: 'save', whom: 0, blocks: true } },
        { do: 'act', device: 5, act: { type: 'save', whom: 1 } },
        { do: 'flow' },
        { do: 'connect', device: 0 },
        { do: 'next', picks: [0] },
        { do: 'send', device: 0, whom: 0 },
        { do: 'pass', seconds: 2, flows: false },
        { do: 'act', device: 2, act: { type: 'save', whom: 0, blocks: true } },
        { do: 'connect', device: 0 },
      ],
    })
  })
})

describe('values that are overwritten before other nodes relay them', () => {
  test('[V5] of two changes of one user that a node reports together, the user’s device there gets what stands', async () => {
    await expectRight({
      ...world,
      ...{ seed: 9, cast: [0, 1, 2], isAcquainted: true },
      steps: [
        { do: 'move', device: 0, node: 0 },
        { do: 'connect', device: 0 },
        { do: 'move', device: 1, node: 1 },
        { do: 'connect', device: 1 },
        { do: 'flow' },
        { do: 'slowNode', node: 1, isSlow: true },
        { do: 'act', device: 0, act: { type: 'set', level: 0, field: 'name' } },
        { do: 'next', picks: [0] },
        { do: 'act', device: 0, act: { type: 'set', level: 0, field: 'name' } },
        { do: 'next', picks: [4, 5, 2] },
        { do: 'flow' },
      ],
    })
  })

  test('[V5] a value that a third node overwrites while a node reads it is not relayed', async () => {
    await expectRight({
      ...world,
      ...{ cast: [0, 2, 3], isAcquainted: true, nodes: 3 },
      steps: [
        { do: 'act', device: 11, act: { type: 'save', whom: 0 } },
        { do: 'act', device: 4, act: { type: 'set', level: 2, field: 'mood' } },
        { do: 'act', device: 0, act: { type: 'set', level: 0, field: 'name' } },
        { do: 'slowNode', node: 0, isSlow: true },
        { do: 'act', device: 0, act: { type: 'set', level: 0, field: 'name' } },
        { do: 'act', device: 1, act: { type: 'set', level: 2, field: 'mood' } },
        { do: 'pair', a: 0, b: 0, isPaired: false },
      ],
    })
  })
})

describe('a log that was trimmed', () => {
  test('[D2] a batch that no standby had confirmed is not written again once the log has forgotten it', async () => {
    await expectRight({
      ...world,
      ...{ seed: 605108089, cast: [0, 2], nodes: 3 },
      steps: [
        { do: 'failBatch', node: 2, fault: 'unconfirmed' },
        { do: 'act', device: 0, act: { type: 'set', level: 0, field: 'name' } },
        { do: 'act', device: 9, act: { type: 'audience', audience: 'everyone' } },
        { do: 'register', user: 0, announceJoin: false },
        { do: 'killNode', node: 0, losesFrames: false },
        { do: 'slowNode', node: 2, isSlow: true },
        { do: 'pass', seconds: 130, flows: false },
        { do: 'trimLog' },
        { do: 'register', user: 0, announceJoin: false },
        { do: 'failBatch', node: 0, fault: 'never sent' },
      ],
    })
  })

  test('[V7][F1] a node that stood still until the log no longer had what follows its position ends its sessions', async () => {
    await expectRight({
      ...world,
      ...{ cast: [0, 2], isAcquainted: true },
      steps: [
        { do: 'flow' },
        { do: 'move', device: 1, node: 1 },
        { do: 'connect', device: 1 },
        { do: 'flow' },
        { do: 'freezeNode', node: 1 },
        { do: 'act', device: 0, act: { type: 'save', whom: 0, blocks: true } },
        { do: 'pass', seconds: 100, flows: true },
        { do: 'trimLog' },
        { do: 'register', user: 2, announceJoin: false },
        { do: 'flow' },
        { do: 'thawNode', node: 1 },
        { do: 'flow' },
      ],
    })
  })
})

describe('tokens that are revoked on another node', () => {
  test('[V4] a session whose token was revoked on another node is handed nothing of what is written after that', async () => {
    await expectRight({
      ...world,
      ...{ seed: 6, cast: [0, 2], isAcquainted: true },
      steps: [
        { do: 'flow' },
        { do: 'move', device: 0, node: 1 },
        { do: 'connect', device: 0 },
        { do: 'flow' },
        { do: 'slowNode', node: 1, isSlow: true },
        { do: 'revoke', user: 0 },
        { do: 'next', picks: [2, 1, 1] },
        { do: 'act', device: 1, act: { type: 'set', level: 1, field: 'mood' } },
        { do: 'next', picks: [3, 0, 2, 0, 1, 2] },
        { do: 'next', picks: [4] },
        { do: 'flow' },
      ],
    })
  })

  test('[V4] a revocation is not answered while another node may hand the session with the revoked token what it has read before', async () => {
    await expectRight({
      ...world,
      ...{ seed: 84, cast: [0, 2], isAcquainted: true },
      steps: [
        { do: 'flow' },
        { do: 'move', device: 0, node: 1 },
        { do: 'connect', device: 0 },
        { do: 'flow' },
        { do: 'slowNode', node: 1, isSlow: true },
        { do: 'act', device: 1, act: { type: 'set', level: 1, field: 'mood' } },
        { do: 'next', picks: [4, 5, 4, 4] },
        { do: 'act', device: 0, act: { type: 'meet', whom: 0 } },
        { do: 'next', picks: [1] },
        { do: 'revoke', user: 0 },
        { do: 'next', picks: [4] },
        { do: 'flow' },
      ],
    })
  })
})

describe('accounts that end on another node', () => {
  test('[D7] a device whose account is erased by another node while it writes is told so, and no error is logged', async () => {
    await expectRight({
      ...world,
      ...{ cast: [0, 2], isAcquainted: true, hasTabs: true },
      steps: [
        { do: 'erase', user: 0 },
        { do: 'next', picks: [0] },
        { do: 'act', device: 0, act: { type: 'set', level: 0, field: 'name' } },
        { do: 'connect', device: 0 },
        { do: 'connect', device: 0 },
        { do: 'connect', device: 0 },
        { do: 'flow' },
      ],
    })
  })

  test('[D2][D7] a barrier that one node answers while another node erases the account is true of the state before', async () => {
    await expectRight({
      ...world,
      ...{ cast: [0, 2, 4], nodes: 3 },
      steps: [
        { do: 'act', device: 2, act: { type: 'set', level: 0, field: 'name' } },
        { do: 'flow' },
        { do: 'act', device: 11, act: { type: 'save', whom: 0 } },
        { do: 'next', picks: [0, 0] },
        { do: 'restrict', user: 0, restricted: false },
        { do: 'erase', user: 2 },
        { do: 'next', picks: [0] },
        { do: 'sync', device: 0 },
        { do: 'flow' },
        { do: 'connect', device: 0 },
      ],
    })
  })
})

describe('a database that has lost commits', () => {
  test('[F1] a node that stood still while its database failed over ends its sessions if what it has reported is lost', async () => {
    await expectRight({
      ...world,
      ...{ cast: [0, 2], isAcquainted: true },
      steps: [
        { do: 'flow' },
        { do: 'backUpServer' },
        { do: 'restrict', user: 0, restricted: true },
        { do: 'flow' },
        { do: 'freezeNode', node: 1 },
        { do: 'failOver', isLossy: true },
        { do: 'pass', seconds: 4, flows: true },
        { do: 'register', user: 2, announceJoin: true },
        { do: 'pass', seconds: 4, flows: true },
        { do: 'register', user: 2, announceJoin: false },
        { do: 'pass', seconds: 4, flows: true },
        { do: 'thawNode', node: 1 },
        { do: 'flow' },
      ],
    })
  })

  test('[F1] a node that has reported lost commits finds that out, although other nodes have written as many since', async () => {
    await expectRight({
      ...world,
      cast: [0, 2],
      steps: [
        { do: 'register', user: 1, announceJoin: false },
        { do: 'backUpServer' },
        { do: 'restrict', user: 0, restricted: false },
        { do: 'flow' },
        { do: 'act', device: 0, act: { type: 'audience', audience: 'everyone' } },
        { do: 'failOver', isLossy: true },
        { do: 'act', device: 1, act: { type: 'set', level: 0, field: 'name' } },
        { do: 'next', picks: [15, 22, 0] },
        { do: 'revoke', user: 0 },
        { do: 'erase', user: 1 },
        { do: 'act', device: 0, act: { type: 'autoSync', isOn: false } },
        { do: 'cut', pick: 0, told: 'both' },
        { do: 'flow' },
        { do: 'next', picks: [0] },
      ],
    })
  })
})

describe('nodes that derive and hand over at the same time', () => {
  test('[V4][D4] an audience for nobody on one node shuts out who followed on another node while it was derived', async () => {
    await expectRight({
      ...world,
      ...{ seed: 7, cast: [0, 2] },
      steps: [
        { do: 'act', device: 0, act: { type: 'set', level: 0, field: 'name' } },
        { do: 'connect', device: 1 },
        { do: 'flow' },
        { do: 'slowNode', node: 0, isSlow: true },
        { do: 'act', device: 0, act: { type: 'audience', audience: 'nobody' } },
        { do: 'next', picks: [0] },
        { do: 'act', device: 1, act: { type: 'save', whom: 0, follows: true } },
        { do: 'next', picks: [1, 1, 1, 1, 1, 1] },
        { do: 'flow' },
      ],
    })
  })

  test('[V5] what was read ahead of what a node has reported is handed over when that is reported', async () => {
    await expectRight({
      ...world,
      ...{ seed: 447, cast: [0, 2], isAcquainted: true },
      steps: [
        { do: 'act', device: 1, act: { type: 'save', whom: 0, follows: false } },
        { do: 'next', picks: [0] },
        { do: 'act', device: 0, act: { type: 'set', level: 0, field: 'name' } },
        { do: 'slowNode', node: 1, isSlow: true },
        { do: 'act', device: 0, act: { type: 'audience', audience: 'everyone' } },
        { do: 'act', device: 1, act: { type: 'meet', whom: 0 } },
        { do: 'flow' },
      ],
    })
  })

  test('[V4] a block is not answered while another node may hand over what it has read before', async () => {
    await expectRight({
      ...world,
      ...{ seed: 36, cast: [0, 2, 3], isAcquainted: true },
      steps: [
        { do: 'flow' },
        { do: 'move', device: 2, node: 1 },
        { do: 'slowNode', node: 1, isSlow: true },
        { do: 'connect', device: 2 },
        { do: 'next', picks: [2, 4, 3, 5, 3, 0, 1, 5] },
        { do: 'act', device: 0, act: { type: 'save', whom: 0, blocks: true } },
        { do: 'next', picks: [0, 0, 0] },
        { do: 'next', picks: [5, 3] },
        { do: 'flow' },
      ],
    })
  })

  test('[V4] a node that stood still hands nothing over that it has read before, once others have gone on without it', async () => {
    await expectRight({
      ...world,
      ...{ seed: 31, cast: [0, 2, 3], isAcquainted: true },
      steps: [
        { do: 'flow' },
        { do: 'move', device: 2, node: 1 },
        { do: 'slowNode', node: 1, isSlow: true },
        { do: 'connect', device: 2 },
        { do: 'next', picks: [0, 4, 3, 5] },
        { do: 'freezeNode', node: 1 },
        { do: 'act', device: 0, act: { type: 'save', whom: 0, blocks: true } },
        { do: 'pass', seconds: 4, flows: true },
        { do: 'thawNode', node: 1 },
        { do: 'next', picks: [4, 5, 1, 3] },
        { do: 'flow' },
      ],
    })
  })

  test('[D4] a change that was admitted to a document as it was before another node changed it is admitted again', async () => {
    await expectRight({
      ...world,
      ...{ cast: [0, 1, 2], nodes: 3 },
      steps: [
        { do: 'act', device: 2, act: { type: 'set', level: 0, field: 'name' } },
        { do: 'act', device: 1, act: { type: 'set', level: 0, field: 'name' } },
        { do: 'next', picks: [0] },
        { do: 'slowNode', node: 0, isSlow: true },
        { do: 'act', device: 0, act: { type: 'set', level: 0, field: 'mood' } },
        { do: 'pass', seconds: 130, flows: false },
        { do: 'erase', user: 0 },
        { do: 'next', picks: [0] },
      ],
    })
  })

  test('[D7] a device of an account that was erased on another node writes nothing into the new one', async () => {
    await expectRight({
      ...world,
      ...{ seed: 488_324_625, cast: [0, 2], isAcquainted: true, nodes: 3 },
      steps: [
        { do: 'slowNetwork', isSlow: false },
        { do: 'stopNode', node: 0 },
        { do: 'connect', device: 0 },
        { do: 'next', picks: [0] },
        { do: 'erase', user: 1 },
        { do: 'act', device: 3, act: { type: 'set', level: 0, field: 'name' } },
        { do: 'flow' },
      ],
    })
  })
})

describe('follows that change while the owner edits', () => {
  test('[F1] a viewer who follows, unfollows and follows again at once is shown what stands, also if the viewer’s node reads ahead of what it was told', async () => {
    await expectRight({
      ...world,
      ...{ cast: [0, 1, 2, 3], isAcquainted: true },
      steps: [
        { do: 'move', device: 0, node: 0 },
        { do: 'connect', device: 0 },
        { do: 'move', device: 1, node: 1 },
        { do: 'connect', device: 1 },
        { do: 'move', device: 2, node: 1 },
        { do: 'connect', device: 2 },
        { do: 'move', device: 3, node: 0 },
        { do: 'connect', device: 3 },
        { do: 'flow' },
        { do: 'slowNetwork', isSlow: false },
        { do: 'slowNode', node: 0, isSlow: true },
        { do: 'move', device: 3, node: 2 },
        { do: 'connect', device: 3 },
        { do: 'next', picks: [0] },
        { do: 'act', device: 0, act: { type: 'set', level: 0, field: 'name' } },
        { do: 'act', device: 0, act: { type: 'set', level: 1, field: 'name' } },
        { do: 'move', device: 2, node: 0 },
        { do: 'connect', device: 2 },
        { do: 'flow' },
        { do: 'cut', pick: 0, told: 'both' },
        { do: 'connect', device: 2 },
        { do: 'next', picks: [0] },
        { do: 'act', device: 2, act: { type: 'save', whom: 0, follows: false } },
        { do: 'act', device: 2, act: { type: 'save', whom: 0, follows: true } },
        { do: 'next', picks: [0] },
        { do: 'act', device: 0, act: { type: 'save', whom: 0, blocks: false } },
        { do: 'act', device: 2, act: { type: 'save', whom: 0, follows: false } },
        { do: 'act', device: 2, act: { type: 'save', whom: 0, follows: true } },
      ],
    })
  })
})

describe('batches whose outcome is unknown', () => {
  test('[D2] a call of the backend whose batch was written, and whose answer was lost, makes one change', async () => {
    await expectRight({
      ...world,
      ...{ cast: [0, 2], isAcquainted: true },
      steps: [
        { do: 'flow' },
        { do: 'failBatch', node: 0, fault: 'written' },
        { do: 'failBatch', node: 1, fault: 'written' },
        { do: 'restrict', user: 0, restricted: true },
        { do: 'pass', seconds: 2, flows: true },
        { do: 'flow' },
      ],
    })
  })

  test.each(['never sent', 'written', 'written later', 'unconfirmed'] as const)(
    '[D2] a change is on disk once, and the device is synced, after a batch that was %s',
    async fault => {
      await expectRight({
        ...world,
        cast: [0, 1, 2],
        steps: [
          { do: 'connect', device: 0 },
          { do: 'connect', device: 1 },
          { do: 'flow' },
          { do: 'failBatch', node: 0, fault },
          { do: 'act', device: 0, act: { type: 'set', level: 0, field: 'name' } },
          { do: 'flow' },
          { do: 'act', device: 1, act: { type: 'set', level: 0, field: 'mood' } },
          { do: 'flow' },
          { do: 'pass', seconds: 2, flows: true },
        ],
      })
    },
  )
})

test('[S1] a server stops that has told devices of a roster that was refounded', async () => {
  await expectRight({
    ...{ seed: 0, cast: [0, 2], isAcquainted: true, outstandingBytes: 65536, hasTabs: false, nodes: 3 },
    steps: [
      { do: 'refound', user: 1, document: 'roster' },
      { do: 'turn', device: 0 },
      { do: 'refound', user: 0, document: 'roster' },
      { do: 'flow' },
      { do: 'sync', device: 0 },
      { do: 'act', device: 0, act: { type: 'hide', isHidden: false } },
    ],
  })
})
