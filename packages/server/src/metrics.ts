import { Counter, Gauge, Registry } from 'prom-client'

/** The metrics of `GET /metrics`, in Prometheus' form. */
export interface Metrics {
  registry: Registry
  commits: Counter
  sentBytes: Counter
  refused: Counter<'code'>
  closed: Counter<'code'>
}

/** What is asked for when it is told. */
interface Gauges {
  sessions(): number
  takesChanges(): boolean
}

export function createMetrics({ sessions, takesChanges }: Gauges): Metrics {
  const registry = new Registry()
  const registers = [registry]
  new Gauge({
    name: 'kith_sessions',
    help: 'Devices that are connected',
    registers,
    collect() {
      this.set(sessions())
    },
  })
  new Gauge({
    name: 'kith_takes_changes',
    help: '1 while the store takes changes, 0 while it refuses them, as on a full disk',
    registers,
    collect() {
      this.set(takesChanges() ? 1 : 0)
    },
  })
  return {
    registry,
    commits: new Counter({ name: 'kith_commits_total', help: 'Changes written to the disk', registers }),
    sentBytes: new Counter({ name: 'kith_sent_bytes_total', help: 'Bytes handed to devices', registers }),
    refused: new Counter({
      name: 'kith_refused_total',
      help: 'Updates that were not admitted, by error code',
      labelNames: ['code'],
      registers,
    }),
    closed: new Counter({
      name: 'kith_closed_total',
      help: 'Sessions that the server ended, by close code',
      labelNames: ['code'],
      registers,
    }),
  }
}
