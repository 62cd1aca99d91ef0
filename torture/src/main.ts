import { parseArgs } from 'node:util'
import { tortureCluster } from './cluster/torture.ts'
import { killDevice } from './device/kills.ts'
import { torture } from './torture.ts'

const usage = `Usage: npm run torture -- [--kills 20] [--seed NUMBER]
       npm run torture -- --device [--kills 20] [--seed NUMBER]
       npm run torture -- --cluster [--rounds 10] [--seed NUMBER] [--only TEXT]

Kills a server again and again under load, and checks that what it had answered is on its disk.

  --device    in place of that: a device with SQLite is killed again and again while it saves, and all that it was
              told is saved must be there when it opens again.
  --cluster   in place of that: three nodes on a PostgreSQL primary with two synchronous standbys, all on this
              machine. In each round nodes and the primary are killed or stopped, a standby is promoted, and
              connections are cut, while devices go on; then everything that was answered must be there.
  --only      no faults but those with this text in their names, as in --only 'cut off'
  --seed      repeats the choices of a run, which prints its seed
`

const { values } = parseArgs({
  options: {
    cluster: { type: 'boolean', default: false },
    device: { type: 'boolean', default: false },
    kills: { type: 'string', default: '20' },
    rounds: { type: 'string', default: '10' },
    only: { type: 'string', default: '' },
    seed: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
})
const [kills, rounds] = [Number(values.kills), Number(values.rounds)]
const seed = Number(values.seed ?? Date.now() % 1_000_000)
if (values.help) process.stdout.write(usage)
else if (![kills, rounds].every(count => Number.isInteger(count) && count > 0) || !Number.isInteger(seed)) {
  process.stderr.write(usage)
  process.exitCode = 2
} else {
  const code = await (values.cluster
    ? tortureCluster({ rounds, seed, only: values.only })
    : values.device
      ? killDevice({ kills, seed })
      : torture({ kills, seed }))
  // After a failure, devices still run.
  process.exit(code)
}
