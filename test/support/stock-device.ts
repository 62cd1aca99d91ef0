import { onTestFinished } from 'vitest'
import { WebSocket } from 'ws'
import { WebsocketProvider } from 'y-websocket'
import * as Y from 'yjs'
import type { World } from './server-world.ts'

/** y-websocket's own provider on a document, without Kith code. */
export interface StockDevice {
  doc: Y.Doc
  provider: WebsocketProvider
  /** The close codes of past connections. */
  closes: number[]
  /** Resolves when the provider reports that it is synced. */
  synced(): Promise<void>
  /** Resolves when the condition holds for the document. */
  until(isSo: () => boolean): Promise<void>
  label(user: string): unknown
  setLabel(user: string, label: string): void
}

export async function stockDevice(world: World, user: string, doc: Y.Doc = new Y.Doc()): Promise<StockDevice> {
  const provider = new WebsocketProvider(
    `${world.url.replace('http', 'ws')}/v1/roster`,
    encodeURIComponent(user),
    doc,
    {
      protocols: ['kith.v1', `bearer.${await world.token(user)}`],
      WebSocketPolyfill: WebSocket as never,
      disableBc: true,
      connect: false,
      maxBackoffTime: 100,
    },
  )
  const closes: number[] = []
  provider.on('connection-close', event => {
    if (event) closes.push(event.code)
  })
  onTestFinished(() => {
    provider.destroy()
    provider.awareness.destroy()
  })
  return {
    doc,
    provider,
    closes,
    async synced() {
      if (provider.synced) return
      await new Promise<void>(resolve => provider.on('sync', isSynced => isSynced && resolve()))
    },
    until: isSo =>
      new Promise(resolve => {
        const look = (): void => {
          if (!isSo()) return
          doc.off('update', look)
          resolve()
        }
        doc.on('update', look)
        look()
      }),
    label: of => doc.getMap('labels').get(of),
    setLabel: (of, label) => void doc.getMap('labels').set(of, label),
  }
}
