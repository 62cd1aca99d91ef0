import type { Clock, Status } from '@kith/client'
import { TestClock } from '@kith/client/testing'
import { expect, test } from 'vitest'
import { Channels } from '../support/channels.ts'
import { guardedSocket, Lease, Pulse } from '../support/client-internals.ts'
import { Locks } from '../support/locks.ts'

const minuteMs = 60_000

test('a follower tab is offline after 5 s of silence, and takes over after 10 to 12 s', async () => {
  for (const fraction of [0, 0.99]) {
    const { clock, follow, lead } = world(fraction)
    const [holder, tab] = [lead(), follow()]
    await pass(clock, 3_000)
    expect(tab.heard.at(-1)).toBe('synced')
    holder.freeze()
    await pass(clock, 4_000)
    expect([tab.silences, tab.takeOvers]).toEqual([0, 0])
    await pass(clock, 1_000)
    expect([tab.silences, tab.takeOvers]).toEqual([1, 0])
    await pass(clock, 4_000)
    expect(tab.takeOvers).toBe(0)
    await pass(clock, 3_000)
    expect([tab.silences, tab.takeOvers]).toEqual([1, 1])
    holder.thaw()
    await pass(clock, 60_000)
    expect([tab.silences, tab.takeOvers, tab.heard.at(-1)]).toEqual([1, 1, 'synced'])
  }
})

test('healthy tabs in the background, whose timers come once a minute, never take over from each other', async () => {
  const { clock, follow, lead } = world(0)
  lead(throttled(clock))
  const tabs = [follow(throttled(clock)), follow(clock), follow(throttled(clock))]
  await pass(clock, 30 * minuteMs, 1_000)
  expect(tabs.map(({ silences, takeOvers }) => [silences, takeOvers])).toEqual([
    [0, 0],
    [0, 0],
    [0, 0],
  ])
})

test('a tab that stood still itself does not count that as silence', async () => {
  const { clock, follow, lead } = world(0)
  lead()
  const tab = follow()
  await pass(clock, 3_000)
  clock.move(1_000) // It has just asked; the answer comes while it stands still.
  tab.freeze()
  await pass(clock, 10 * minuteMs)
  tab.thaw()
  await pass(clock, 60_000)
  expect([tab.silences, tab.takeOvers]).toEqual([0, 0])
})

test('a background tab also takes over from a frozen leader, only later', async () => {
  const { clock, follow, lead } = world(0)
  const [holder, tab] = [lead(), follow(throttled(clock))]
  await pass(clock, 2 * minuteMs)
  holder.freeze()
  await pass(clock, 6 * minuteMs)
  expect(tab.takeOvers).toBeGreaterThan(0)
})

test('setting the clock ten years ahead or back makes no tab take over', async () => {
  const { clock, follow, lead } = world(0)
  lead()
  const tab = follow()
  for (const years of [10, -20]) {
    await pass(clock, 3_000)
    clock.set(years * 365 * 24 * 60 * minuteMs)
    await pass(clock, 10_000)
  }
  expect([tab.silences, tab.takeOvers]).toEqual([0, 0])
})

test('no frame passes the socket in either direction while the tab is unsure of its lock; then all pass in order', async () => {
  const { clock, locks } = world(0)
  const { lease, socket, inner, heard } = guarded(clock, locks)
  inner.onopen?.({} as never)
  inner.onmessage?.({ data: 'one' } as never)
  socket.send(Uint8Array.of(1))
  expect([heard, inner.sent]).toEqual([['open', 'one'], [1]])
  clock.move(5_000)
  inner.onmessage?.({ data: 'two' } as never)
  socket.send(Uint8Array.of(2))
  inner.onclose?.({ code: 1006 } as never)
  expect([heard, inner.sent]).toEqual([['open', 'one'], [1]])
  await turn()
  expect([heard, inner.sent, lease.isCertain]).toEqual([['open', 'one', 'two', 'close'], [1, 2], true])
})

test('frames that wait at a socket are dropped when the lock was stolen, and a socket that is not open yet never opens', async () => {
  const { clock, locks } = world(0)
  const { lease, socket, inner, heard, open } = guarded(clock, locks)
  clock.move(5_000)
  inner.onmessage?.({ data: 'two' } as never)
  socket.send(Uint8Array.of(2))
  const before = inner.count
  open()
  lease.end()
  await turn()
  expect([heard, inner.sent, lease.isCertain, inner.count - before]).toEqual([[], [], false, 0])
})

/** Turns of the event loop, enough for messages between tabs. */
async function turn(): Promise<void> {
  for (let count = 0; count < 6; count++) await new Promise(resolve => setImmediate(resolve))
}

async function pass(clock: TestClock, ms: number, stepMs = 500): Promise<void> {
  for (let passed = 0; passed < ms; passed += stepMs) {
    clock.move(stepMs)
    await turn()
  }
}

/** A clock whose timers fire at whole minutes only, as in a page that has long been in the background. */
function throttled(clock: TestClock): Clock {
  const after = (delayMs: number, task: () => void): (() => void) => {
    const dueAt = Math.ceil((clock.elapsed() + delayMs) / minuteMs) * minuteMs
    return clock.after(dueAt - clock.elapsed(), task)
  }
  return { now: () => clock.now(), elapsed: () => clock.elapsed(), after }
}

interface FakeTab {
  heard: Status[]
  silences: number
  takeOvers: number
  /** Holds back its timers and messages. */
  freeze(): void
  thaw(): void
}

function world(fraction: number): {
  clock: TestClock
  locks: Locks
  lead(clock?: Clock): FakeTab
  follow(clock?: Clock): FakeTab
} {
  const [clock, channels, locks] = [new TestClock(), new Channels(), new Locks()]
  const open = (time: Clock, isLeading: boolean): FakeTab => {
    let waiting: (() => void)[] | undefined
    const run = (task: () => void): void => {
      if (waiting) waiting.push(task)
      else task()
    }
    const tab: FakeTab = {
      ...{ heard: [], silences: 0, takeOvers: 0 },
      freeze: () => {
        waiting = []
      },
      thaw: () => {
        const tasks = waiting ?? []
        waiting = undefined
        for (const task of tasks.reverse()) task() // Timers before messages: the platform promises no order.
      },
    }
    const channel = channels.open('kith')
    const own = {
      onmessage: null as ((event: { data: unknown }) => void) | null,
      postMessage: (message: unknown) => channel.postMessage(message),
      close: () => channel.close(),
    }
    channel.onmessage = event => run(() => own.onmessage?.(event))
    const port = {
      clock: { ...time, now: () => time.now(), elapsed: () => time.elapsed() } as Clock,
      randomness: { bytes: (length: number) => new Uint8Array(length), fraction: () => fraction },
      channel: own,
      status: () => 'synced' as const,
      heard: (status: Status) => void tab.heard.push(status),
      silent: () => void tab.silences++,
      takeOver: () => void tab.takeOvers++,
    }
    port.clock.after = (delayMs, task) => time.after(delayMs, () => run(task))
    const pulse = new Pulse(port)
    if (isLeading) {
      pulse.lead(new Lease({ clock: port.clock, locks, probeName: 'probe', announce: () => pulse.announce() }))
    } else pulse.follow()
    return tab
  }
  return { clock, locks, lead: (time = clock) => open(time, true), follow: (time = clock) => open(time, false) }
}

type Heard = ((event: never) => void) | null

/** A guarded socket, and the socket beneath it. */
function guarded(
  clock: Clock,
  locks: Locks,
): {
  lease: Lease
  socket: { send(data: Uint8Array<ArrayBuffer>): void }
  inner: { onopen: Heard; onmessage: Heard; onclose: Heard; sent: number[]; count: number }
  heard: string[]
  open(): void
} {
  const lease = new Lease({ clock, locks, probeName: 'probe', announce: () => undefined })
  const sent: number[] = []
  const seen: Inner[] = []
  class Inner {
    binaryType = ''
    protocol = 'kith.v1'
    onopen: Heard = null
    onmessage: Heard = null
    onclose: Heard = null
    onerror: Heard = null
    sent = sent
    constructor() {
      seen.push(this)
    }
    get count(): number {
      return seen.length
    }
    send(data: Uint8Array): void {
      sent.push(data[0] ?? 0)
    }
    close(): void {
      // There is no other end.
    }
  }
  const Socket = guardedSocket(Inner, lease)
  const socket = new Socket('ws://kith.example', ['kith.v1'])
  const heard: string[] = []
  socket.onopen = () => void heard.push('open')
  socket.onmessage = (({ data }: { data: string }) => void heard.push(data)) as Heard
  socket.onclose = () => void heard.push('close')
  return { lease, socket, inner: seen[0] as Inner, heard, open: () => void new Socket('ws://kith.example', []) }
}
