import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { expect, onTestFinished, test, vi } from 'vitest'
import { startServerProcess } from '../../bench/src/server-process.ts'
import { nextEvent } from '../support/next-event.ts'
import { openDevice } from '../support/process-devices.ts'
import { Device } from '../support/raw-device.ts'
import { settle } from '../support/server-world.ts'

vi.setConfig({ testTimeout: 120_000 })

const openFiles = 256

/** Opens sockets that send nothing, as many as requested. The server may close them again. */
async function idleSockets(port: number, count: number): Promise<void> {
  const sockets: Socket[] = []
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
  })
  for (let index = 0; index < count; index++) {
    const socket = connect(port, '127.0.0.1')
    socket.on('error', () => undefined)
    sockets.push(socket)
    await Promise.race([once(socket, 'connect'), once(socket, 'close')])
  }
}

test.runIf(process.platform === 'linux')(
  '[S3] [D2] with few descriptors many sockets leave the store its own: further devices are closed with 4503 and come back',
  async () => {
    const server = await startServerProcess({ openFiles, env: { KITH_LOG_LEVEL: 'error' } })
    onTestFinished(() => server.stop())
    const port = Number(new URL(server.url).port)
    const alice = await openDevice(server, 'alice')
    await alice.whenSynced()

    await idleSockets(port, 300)
    const devices = Array.from({ length: 150 }, (_, index) => {
      return new Device(`user ${index}`, server.url, () => server.token(`user ${index}`))
    })
    onTestFinished(() => {
      for (const device of devices) device.drop()
    })
    for (const device of devices) await device.dial()
    const seated = devices.filter(device => device.isConnected)
    const turnedAway = await Promise.all(
      devices.filter(device => !seated.includes(device)).map(device => device.closed()),
    )
    await idleSockets(port, 300)
    // Some may still be closing.
    await expect.poll(() => devices.filter(({ isConnected }) => isConnected).length).toBeLessThan(120)
    expect(devices.filter(({ isConnected }) => isConnected).length).toBeGreaterThan(80)
    for (const { code } of turnedAway) expect(code).toBe(4503)

    expect((await server.admin('GET', '/readyz')).status).toBe(200)
    const carol = await openDevice(server, 'carol')
    const failed = await nextEvent(carol, 'error')
    expect(failed[0]).toMatchObject({ code: 'unavailable', retryAfterMs: expect.any(Number) })
    await alice.ownProfile.set('name', 'Ada')
    await alice.whenSynced()
    const [one, other] = devices.filter(({ isConnected }) => isConnected) as [Device, Device]
    for (const device of [one, other]) await device.hello()
    one.edit('alice', { isSubscribed: true })
    await settle(one, other)
    expect(one.sees('alice')).toEqual({ name: 'Ada' })
    expect(readdirSync(`/proc/${server.pid}/fd`).length).toBeLessThan(openFiles - 60)

    for (const device of devices.slice(0, 60)) device.drop()
    await expect.poll(() => server.metric('kith_sessions')).toBeLessThan(90)
    carol.connect()
    await carol.whenSynced()
  },
)
