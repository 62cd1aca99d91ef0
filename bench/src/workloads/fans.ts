import type { Kith } from '@kith/client'
import { applyChanges } from '@kith/shared'
import type { WebSocket } from 'ws'
import * as Y from 'yjs'
import { pinServer } from '../measure/cores.ts'
import { connectBare, startBareServer } from '../peers/bare.ts'
import { PeerDevice, type PeerName } from '../peers/peer-device.ts'
import { RawDevice, userIds } from '../raw-device.ts'
import type { Listening, ServerProcess } from '../server-process.ts'
import { followerOf, forEach, openClient } from './kith.ts'

/** An owner whose edits go to a number of followers. */
export interface Fan {
  readonly name: string
  readonly pid: number
  /** The owner writes a value with this number. Resolves when the owner's own device has it. */
  edit(edit: number): Promise<void>
  /** `receive` is called for each message that brings a value to a follower. */
  listen(receive: (follower: number, edit: number) => void): void
  close(): Promise<void>
}

const marker = 'edit-number:'
const digits = 8
const valueBytes = 100

/** A value of 100 bytes that can be found in any encoding. */
function paddedValue(edit: number): string {
  return `${marker}${String(edit).padStart(digits, '0')}`.padStart(valueBytes, '.')
}

/** Returns the number of the value in a message; `undefined` if there is none. */
function editIn(message: Buffer): number | undefined {
  const at = message.lastIndexOf(marker)
  if (at < 0) return undefined
  return Number(message.toString('latin1', at + marker.length, at + marker.length + digits))
}

const statusOf = (edit: number): { root: string; key: string; value: string }[] => [
  { root: 'fields', key: '0/benchmark/status', value: paddedValue(edit) },
]

/** Followers on one Kith server. If a server has several fans, each has an owner of its own. */
async function kithFollowers(server: ServerProcess, owner: string, count: number): Promise<RawDevice[]> {
  const followers: RawDevice[] = []
  await forEach(userIds(`follower-of-${owner}`, count), async user => {
    followers.push(await followerOf(server, user, [owner]))
  })
  return followers
}

function listenTo(devices: readonly RawDevice[], receive: (follower: number, edit: number) => void): void {
  for (const [index, device] of devices.entries()) {
    device.onRaw = data => {
      const edit = editIn(data)
      if (edit !== undefined) receive(index, edit)
    }
  }
}

export async function kithFan(server: ServerProcess, count: number): Promise<Fan> {
  const user = `owner-of-${count}`
  const owner = new RawDevice(user)
  await owner.connect(server, await server.token(user))
  await owner.edit('profile', statusOf(0))
  return fanOf('Kith', server, owner, await kithFollowers(server, user, count))
}

/** An owner and followers who are connected. */
export function fanOf(name: string, server: ServerProcess, owner: RawDevice, followers: readonly RawDevice[]): Fan {
  return {
    name,
    pid: server.pid,
    edit: async edit => owner.write('profile', statusOf(edit)),
    listen: receive => listenTo(followers, receive),
    close: async () => {
      for (const device of [owner, ...followers]) device.close()
    },
  }
}

/** The owner's device uses Kith's own client. */
export async function kithClientFan(server: ServerProcess, count: number): Promise<Fan> {
  const user = `client-owner-of-${count}`
  const owner: Kith = await openClient(server, user)
  await owner.ownProfile.set('status', paddedValue(0))
  await owner.whenSynced()
  const followers = await kithFollowers(server, user, count)
  return {
    name: 'Kith, by @kith/client',
    pid: server.pid,
    edit: edit => owner.ownProfile.set('status', paddedValue(edit)),
    listen: receive => listenTo(followers, receive),
    close: async () => {
      for (const device of followers) device.close()
      await owner.close()
    },
  }
}

/** The owner sends the same data as to Kith. All connections receive it, including the owner. */
export async function bareFan(count: number): Promise<Fan> {
  const server = await startBareServer()
  pinServer(server.pid)
  const owner = await connectBare(server.url)
  const followers: WebSocket[] = []
  for (let index = 0; index < count; index++) followers.push(await connectBare(server.url))
  const doc = new Y.Doc()
  return {
    name: 'bare server',
    pid: server.pid,
    edit: async edit => {
      const before = Y.encodeStateVector(doc)
      applyChanges(doc, statusOf(edit))
      owner.send(Buffer.concat([Buffer.from([0]), Y.encodeStateAsUpdate(doc, before)]))
    },
    listen: receive => {
      for (const [index, socket] of followers.entries()) {
        socket.removeAllListeners('message')
        socket.on('message', data => {
          const edit = editIn(data as Buffer)
          if (edit !== undefined) receive(index, edit)
        })
      }
    },
    close: async () => {
      for (const socket of [owner, ...followers]) socket.terminate()
      await server.stop()
    },
  }
}

export async function peerFan(name: PeerName, server: Listening, count: number): Promise<Fan> {
  pinServer(server.pid)
  const document = `owner-of-${count}`
  const owner = new PeerDevice(name, server.url)
  await owner.open([document])
  owner.write(document, statusOf(0))
  const followers: PeerDevice[] = []
  for (let index = 0; index < count; index++) {
    const device = new PeerDevice(name, server.url)
    await device.open([document])
    followers.push(device)
  }
  return {
    name,
    pid: server.pid,
    edit: async edit => owner.write(document, statusOf(edit)),
    listen: receive => {
      for (const [index, device] of followers.entries()) {
        device.onMessage = data => {
          const edit = editIn(data)
          if (edit !== undefined) receive(index, edit)
        }
      }
    },
    close: async () => {
      for (const device of [owner, ...followers]) device.close()
      await server.stop()
    },
  }
}
