import { describe, test } from 'vitest'
import { expectRight } from './histories/expect-right.ts'

/** What random histories of several nodes found, each shrunk to a story. */
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
      nodes: 3,
      steps: [
        { do: 'act', device: 0, act: { type: 'remove', whom: 0 } },
        { do: 'erase', user: 0 },
        { do: 'flow' },
        { do: 'act', device: 0, act: { type: 'unset', level: 0, field: 'name' } },
        { do: 'act', device: 1, act: { type: 'unset', level: 0, field: 'name' } },
        { do: 'act', device: 0, act: { type: 'set', level: 0, field: 'name' } },
        { do: 'act', device: 0, act: { type: 'set', level: 0, field: 'name' } },
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
