import { type Kith, type KithOptions, openKith } from '@kith/client'
import { IDBFactory, IDBKeyRange } from 'fake-indexeddb'
import { WebSocket } from 'ws'
import { tokenFrom } from './nodes.ts'

const patienceMs = 60_000

export function openDevice(port: number, user: string): Promise<Kith> {
  return openKith({
    url: `ws://127.0.0.1:${port}`,
    user,
    token: () => tokenFrom(`http://127.0.0.1:${port}`, user),
    indexedDB: new IDBFactory(), // In a browser these three are there by themselves.
    IDBKeyRange,
    WebSocket: WebSocket as unknown as NonNullable<KithOptions['WebSocket']>,
  })
}

/** Resolves when this condition is true on the device. */
export function when(device: Kith, what: string, isSo: () => boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    const stops: (() => void)[] = []
    const end = (settle: () => void): void => {
      clearTimeout(timer)
      for (const stop of stops) stop()
      settle()
    }
    const timer = setTimeout(() => end(() => reject(new Error(`never: ${what}`))), patienceMs)
    const look = (): void => {
      if (isSo()) end(resolve)
    }
    stops.push(device.on('profile', look), device.on('withdrawn', look), device.on('status', look))
    look()
  })
}

/** Resolves with the next message that reaches the device. */
export function nextMessage(device: Kith): Promise<string> {
  return new Promise(resolve => {
    const stop = device.on('message', ({ text }) => {
      stop()
      resolve(text)
    })
  })
}
