import * as Y from 'yjs'
import { type Attack, memoryOfLargeRosters, pause, type Target, within } from './attack.ts'
import { AttackRoster, AttackSocket, endings, install } from './attack-socket.ts'
import { ids, largeRoster } from './rosters.ts'

/** Attacks with many frames, or with expensive frames. */

const attackMs = 6_000

export const stateVectors: Attack = {
  name: '10 step 1 whose state vector names 1.9 M clients',
  async prepare() {
    return Y.encodeStateVector(new Map(Array.from({ length: 1_900_000 }, (_, index) => [index + 1, 1])))
  },
  async run(target, state) {
    const sockets = await open(target, 2)
    for (const socket of sockets) {
      for (let n = 0; n < 5; n++) {
        socket.send({ type: 'rosterSync', step: 'step1', payload: state as Uint8Array })
      }
    }
    const answers = await Promise.all(sockets.map(socket => socket.barrier(1, attackMs)))
    closeAll(sockets)
    return { text: answers.join(', '), isRight: true }
  },
}

export const hellos: Attack = {
  name: '63 hello a second with 256 owners each, over 18 sockets',
  async prepare() {
    return undefined
  },
  async run(target) {
    const owners = ids('+1666', 4_096)
    const until = performance.now() + attackMs
    let said = 0
    let turnedAway = 0
    const one = async (index: number): Promise<void> => {
      while (performance.now() < until) {
        const from = (said * 256) % 3_840
        said++
        const socket = await AttackSocket.open(target, `mallory`, { owners: owners.slice(from, from + 256) })
        const answer = await within(
          attackMs,
          socket.until(({ type }) => type === 'welcome'),
        )
        if (answer === 'closed') turnedAway++
        socket.close()
        await pause(18_000 / 63 / 2 + index)
      }
    }
    await Promise.all(ids('', 18).map((_, index) => one(index)))
    return { text: `${said} said, ${turnedAway} turned away`, isRight: true }
  },
}

/** Sends as much as the connection accepts, on every socket, until the time is over or all sockets are closed. */
async function flood(sockets: readonly AttackSocket[], sendOnce: (socket: AttackSocket) => void): Promise<void> {
  const until = performance.now() + attackMs
  while (performance.now() < until) {
    const open = sockets.filter(({ isClosed }) => !isClosed)
    if (open.length === 0) return
    for (const socket of open) {
      for (let n = 0; n < 200 && socket.socket.bufferedAmount < 256 * 1024; n++) sendOnce(socket)
    }
    await pause(1)
  }
}

async function open(target: Target, count: number): Promise<AttackSocket[]> {
  const sockets: AttackSocket[] = []
  for (let n = 0; n < count; n++) sockets.push(await AttackSocket.open(target, 'mallory', {}))
  return sockets
}

function closeAll(sockets: readonly AttackSocket[]): void {
  for (const socket of sockets) socket.close()
}

/** A flood on ten sockets. All of them must be closed, unless the flood costs only its sender. */
function floodOf(name: string, sendOnce: (socket: AttackSocket) => void, mustEnd = true): Attack {
  return {
    name,
    async prepare() {
      return undefined
    },
    async run(target) {
      const sockets = await open(target, 10)
      await flood(sockets, sendOnce)
      const { text, areAllClosed } = endings(sockets)
      closeAll(sockets)
      return { text, isRight: areAllClosed || !mustEnd }
    },
  }
}

export const received: Attack = floodOf('received without end, 10 sockets', socket =>
  socket.send({ type: 'received', id: 'none', from: 'victim' }),
)
export const pongs: Attack = floodOf('unasked pongs without end, 10 sockets', socket => socket.socket.pong())
export const pings: Attack = floodOf('pings without end, 10 sockets', socket => socket.socket.ping('x'.repeat(125)))
export const emptyFragments: Attack = floodOf(
  'empty fragments without end, 10 sockets',
  socket => socket.socket.send(new Uint8Array(), { fin: false, binary: true }),
  false,
)
/** Sends fragments slowly, on as many sockets as a user may have. Each socket must be closed by its deadline. */
export const drippingFragments: Attack = {
  name: '20 sockets with a message of which a byte a second comes, in fragments',
  async prepare() {
    return undefined
  },
  async run(target) {
    const sockets = await open(target, 20)
    for (const { socket } of sockets) socket.send(new Uint8Array(200_000), { fin: false, binary: true })
    const until = performance.now() + mostDrippingMs
    while (performance.now() < until && sockets.some(({ isClosed }) => !isClosed)) {
      for (const { socket, isClosed } of sockets) {
        if (!isClosed) socket.send(new Uint8Array(1), { fin: false, binary: true })
      }
      await pause(1_000)
    }
    const { text, areAllClosed } = endings(sockets)
    closeAll(sockets)
    return { text, isRight: areAllClosed }
  },
}

/** The sum of a minute, the time for 200 KB, and two heartbeats. */
const mostDrippingMs = 110_000

export const awareness: Attack = floodOf('queries of awareness without end, 10 sockets', socket =>
  socket.send({ type: 'queryAwareness' }),
)
export const barriers: Attack = floodOf('barriers without end, 10 sockets', socket =>
  socket.send({ type: 'barrier', id: 7, withFeed: true }),
)

export const renewals: Attack = {
  name: 'renewals without end, 10 sockets',
  async prepare() {
    return undefined
  },
  async run(target) {
    const sockets = await open(target, 10)
    const token = await target.token('mallory')
    await flood(sockets, socket => socket.send({ type: 'renew', token }))
    const stayed = sockets.filter(({ isClosed }) => !isClosed)
    // The server does not read from a user in debt, so unread data stays in the sender's own memory.
    const unread = stayed.filter(({ socket }) => socket.bufferedAmount > 0)
    const { text } = endings(sockets)
    closeAll(sockets)
    return { text: `${text}, ${unread.length} not read`, isRight: unread.length === stayed.length }
  },
}

export const deafReaders: Attack = {
  name: '20 sockets that ask for two 7.9 MB answers each and never read, sending unasked pongs',
  memory: memoryOfLargeRosters,
  async prepare(target) {
    await install(target, 'mallory', largeRoster(new AttackRoster()))
    return undefined
  },
  async run(target) {
    const sockets = await open(target, 20)
    const stopPongs = setInterval(() => {
      for (const { socket, isClosed } of sockets) if (!isClosed) socket.pong()
    }, 5_000)
    for (const socket of sockets) {
      socket.socket.pause()
      for (let n = 0; n < 2; n++) socket.send({ type: 'rosterSync', step: 'step1', payload: Uint8Array.of(0) })
    }
    // A socket that does not read notices its end when it writes.
    const until = performance.now() + 55_000
    while (performance.now() < until && sockets.some(({ socket }) => !isGone(socket))) await pause(500)
    clearInterval(stopPongs)
    const gone = sockets.filter(({ socket }) => isGone(socket)).length
    closeAll(sockets)
    return { text: `${gone} of 20 ended`, isRight: gone === 20 }
  },
}

function isGone(socket: AttackSocket['socket']): boolean {
  const { _socket: tcp } = socket as unknown as { _socket: { destroyed: boolean } | null }
  return socket.readyState >= 2 || !tcp || tcp.destroyed
}

export const connections: Attack = {
  name: 'connections that come and go, 40 at a time',
  async prepare() {
    return undefined
  },
  async run(target) {
    const until = performance.now() + attackMs
    let made = 0
    const one = async (): Promise<void> => {
      while (performance.now() < until) {
        const socket = await AttackSocket.open(target, 'mallory', {})
        made++
        socket.close()
      }
    }
    await Promise.all(ids('', 10).map(one))
    return { text: `${made} made`, isRight: true }
  },
}
