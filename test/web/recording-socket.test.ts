import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { expect, onTestFinished, test, vi } from 'vitest'
import { type WebSocket, WebSocketServer } from 'ws'
import { type Happening, recordingWebSocket } from '../../examples/web/src/trace/recording-socket.ts'
import { backend } from '../support/backend.ts'
import { PlatformSocket } from './support/told-device.ts'

/** Returns a recorded socket and the server's end of it. The app keeps the data that it receives. */
async function connected(tell: (happening: Happening) => void = () => undefined) {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0 })
  onTestFinished(() => server.close())
  await once(server, 'listening')
  const happenings: Happening[] = []
  const Recording = recordingWebSocket(
    happening => {
      happenings.push(happening)
      tell(happening)
    },
    { WebSocket: PlatformSocket, now: () => 7, report: error => errors.push(error) },
  )
  const errors: unknown[] = []
  const socket = new Recording(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`, ['a', 'b'])
  onTestFinished(() => socket.close())
  const taken: unknown[] = []
  socket.binaryType = 'arraybuffer'
  socket.onmessage = ({ data }: { data: unknown }) => {
    taken.push(data instanceof ArrayBuffer ? [...new Uint8Array(data)] : data)
  }
  const [[peer]] = await Promise.all([
    once(server, 'connection') as Promise<[WebSocket]>,
    new Promise<void>(resolve => {
      socket.onopen = resolve
    }),
  ])
  return { socket, peer, happenings, errors, taken }
}

const bytesOf = (happenings: readonly Happening[]): unknown[] => {
  return happenings.flatMap(one => (one.type === 'frame' ? [[one.direction, ...one.bytes]] : []))
}

test('every binary frame is recorded in order with its bytes; text frames are not', async () => {
  const { socket, peer, happenings, taken } = await connected()
  expect(socket.protocol).toBe('a')
  peer.on('message', (data: Buffer, isBinary) => peer.send(isBinary ? Buffer.from([...data, 0]) : 'text'))
  const array = Uint8Array.of(9, 1, 2, 9)
  socket.send(array.subarray(1, 3))
  socket.send('text' as never)
  socket.send(Uint8Array.of(3))
  array.fill(0)
  await vi.waitFor(() => expect(taken).toHaveLength(3))
  expect(taken[1]).toBe('text')
  expect(bytesOf(happenings)).toEqual([
    ['sent', 1, 2],
    ['sent', 3],
    ['received', 1, 2, 0],
    ['received', 3, 0],
  ])
  expect(happenings[0]).toEqual({ type: 'opened', atMs: 7 })
})

test('the recorder’s listener can neither change a frame nor end the connection', async () => {
  const { peer, taken, errors, happenings } = await connected(happening => {
    if (happening.type !== 'frame') return
    happening.bytes.fill(0)
    throw new Error('of the panel')
  })
  peer.send(Uint8Array.of(1, 2))
  peer.send(Uint8Array.of(3))
  await vi.waitFor(() => expect(taken).toEqual([[1, 2], [3]]))
  expect(errors).toHaveLength(2)
  expect(happenings.map(({ type }) => type)).toEqual(['opened', 'frame', 'frame'])
})

test('a close is recorded with its code and reason', async () => {
  const { peer, happenings } = await connected()
  peer.close(4529, 'too-many-writes')
  await vi.waitFor(() =>
    expect(happenings.at(-1)).toEqual({ type: 'closed', atMs: 7, code: 4529, reason: 'too-many-writes' }),
  )
})

test('frames that the device no longer receives or sends are not recorded', async () => {
  const { socket, peer, happenings } = await connected()
  socket.close(1000)
  peer.send(Uint8Array.of(1))
  socket.send(Uint8Array.of(2))
  await vi.waitFor(() => expect(happenings.at(-1)).toMatchObject({ type: 'closed', code: 1000 }))
  expect(bytesOf(happenings)).toEqual([])
})

test('a client syncs even if every frame makes the trace panel fail', async () => {
  const errors: unknown[] = []
  const fail = (): never => {
    throw new Error('of the panel')
  }
  const { device } = await backend()
  const options = { WebSocket: PlatformSocket, report: (error: unknown) => errors.push(error) }
  const alice = await device('alice', { WebSocket: recordingWebSocket(fail, options) })
  await alice.ownProfile.set('name', 'Ada')
  await alice.whenSynced()
  expect(alice.unsent).toBe(0)
  expect(errors.length).toBeGreaterThan(5)
})
