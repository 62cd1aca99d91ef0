import { defaultLimits } from '@kith/shared'
import { expect, test } from 'vitest'
import * as Y from 'yjs'
import { admit, rosterRules } from '../support/server-internals.ts'

/** A roster that devices edited alternately. Each device had seen all earlier edits. They set and remove the same keys. */
function editedInTurns(turns: number, deviceCount: number): Uint8Array {
  const devices = Array.from({ length: deviceCount }, () => new Y.Doc())
  for (let turn = 0; turn < turns; turn++) {
    const device = devices[turn % deviceCount] as Y.Doc
    const contacts = device.getMap('contacts')
    for (const key of ['bob', 'carol']) {
      if (contacts.has(key)) contacts.delete(key)
      contacts.set(key, true)
    }
    for (const other of devices) Y.applyUpdate(other, Y.encodeStateAsUpdate(device, Y.encodeStateVector(other)))
  }
  return Y.encodeStateAsUpdate(devices[0] as Y.Doc)
}

test.each([
  [1, 1],
  [4, 2],
  [40, 2],
  [60, 3],
  [200, 7],
])(
  '[D2][S2] %i edits of %i devices in turns are admitted in one update, as after a loss of the server’s data',
  (...turns) => {
    expect(admit(new Y.Doc(), editedInTurns(...turns), rosterRules(defaultLimits))).toMatchObject({ state: 'admitted' })
  },
)
