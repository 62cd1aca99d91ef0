import { Counter, Gauge, Registry } from 'prom-client'
import type { CourierCounts } from './webhooks/courier.ts'

/** The metrics of `GET /metrics`, in the Prometheus format. */
export interface Metrics {
  registry: Registry
  commits: Counter
  sentBytes: Counter
  refused: Counter<'code'>
  closed: Counter<'code'>
}

/** Values that are read when the metrics are requested. */
interface Gauges {
  sessions(): number
  takesChanges(): boolean
  /** Absent if only one process uses the store. */
  node?: NodeGauges | undefined
  /** Absent if no events are written. */
  webhook?: { counts: Readonly<CourierCounts>; missed(): number } | undefined
}

interface NodeGauges {
  hasLease(): boolean
  lagMs(): number
  conflicts(): number
  isConfirmed(): boolean
}

export function createMetrics({ sessions, takesChanges, node, webhook }: Gauges): Metrics {
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
  if (node) addNodeMetrics(registry, node)
  if (webhook) addWebhookMetrics(registry, webhook)
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

/** The metrics of a node among others. */
function addNodeMetrics(registry: Registry, { hasLease, lagMs, conflicts, isConfirmed }: NodeGauges): void {
  const registers = [registry]
  new Gauge({
    name: 'kith_lease',
    help: '1 while the node has its lease, 0 while it hands nothing over',
    registers,
    collect() {
      this.set(hasLease() ? 1 : 0)
    },
  })
  new Gauge({
    name: 'kith_log_lag_seconds',
    help: 'How long ago the node had reported all changes of all nodes',
    registers,
    collect() {
      this.set(lagMs() / 1000)
    },
  })
  new Gauge({
    name: 'kith_synchronous_standby',
    help: '1 while a standby confirms what the database writes, 0 while a failover may lose what was answered',
    registers,
    collect() {
      this.set(isConfirmed() ? 1 : 0)
    },
  })
  new Counter({
    name: 'kith_conflicts_total',
    help: 'Batches that were derived again, since another node wrote what was read',
    registers,
    collect() {
      this.reset()
      this.inc(conflicts())
    },
  })
}

/** The metrics of events for the app's backend. */
function addWebhookMetrics(registry: Registry, { counts, missed }: NonNullable<Gauges['webhook']>): void {
  const registers = [registry]
  new Gauge({
    name: 'kith_webhook_events',
    help: 'Events in the outbox: those that wait, and dead letters',
    labelNames: ['state'],
    registers,
    collect() {
      this.set({ state: 'waiting' }, counts.waiting)
      this.set({ state: 'dead' }, counts.dead)
    },
  })
  new Counter({
    name: 'kith_webhook_deliveries_total',
    help: 'Attempts of this node to deliver an event, by outcome',
    labelNames: ['outcome'],
    registers,
    collect() {
      this.reset()
      this.inc({ outcome: 'delivered' }, counts.delivered)
      this.inc({ outcome: 'failed' }, counts.failed)
    },
  })
  new Counter({
    name: 'kith_webhook_missed_total',
    help: 'Events that this node did not write, since the outbox, or a part of it, was full',
    registers,
    collect() {
      this.reset()
      this.inc(missed())
    },
  })
}
