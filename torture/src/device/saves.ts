import { openKith } from '@kith/client'
import { sqlite } from '@kith/client/sqlite'

/**
 * A device that saves without a pause, in a separate process: `node saves.js FOLDER FIRST`. It prints `begin N` before each
 * round of changes, and `saved N` when the whole round is saved. Printed lines have left the process, so they survive its kill.
 */
const [, , folder = '', first = '1'] = process.argv
const kith = await openKith({
  ...{ url: 'ws://127.0.0.1:9', token: 'none', user: 'ada', connect: false },
  storage: sqlite(folder),
})

for (let round = Number(first); ; round++) {
  process.stdout.write(`begin ${round}\n`)
  const friend = kith.getProfile(`friend-${round}`)
  friend.setLabel(`Friend ${round}`)
  friend.setProfileAccessLevels([round % 5])
  await Promise.all([
    kith.ownProfile.set('round', round),
    kith.ownProfile.set('bytes', new Uint8Array(round % 3 === 0 ? 40_000 : 100).fill(round)),
    friend.save(),
  ])
  process.stdout.write(`saved ${round}\n`)
}
