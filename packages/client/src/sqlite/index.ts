import { wrong } from '../api/arguments.ts'
import type { DeviceStorage } from '../database/contract.ts'
import type { WebSocketConstructor } from '../sync/socket.ts'
import { betterSqlite3 } from './better-sqlite3.ts'
import { sqliteOn } from './storage.ts'

export type { DeviceStorage } from '../database/contract.ts'

/**
 * Storage in a folder, for `openKith({ storage: sqlite('./device') })` in Node, Electron's main process and bots: one SQLite
 * file per device. It needs the package better-sqlite3, and on Node 20 the package ws for the connection. The folder is created
 * when it is first used. Several users, and several processes with different users, may share it.
 *
 * Throws a `TypeError` for a path that is not a string, or is empty. `openKith` reports all other errors: `database-in-use`
 * while another process or client has this user's file open, and `database-failed` when it cannot be read or written.
 *
 * @param folder - The path of the folder.
 * @returns The storage, for the option `storage` of `openKith`.
 */
export function sqlite(folder: string): DeviceStorage {
  if (typeof folder !== 'string' || folder === '') throw wrong('folder', 'a path, as in sqlite("./data")', folder)
  return { ...sqliteOn(betterSqlite3(folder)), findWebSocket }
}

/** Returns the class of ws if it is installed, otherwise the platform's own. */
async function findWebSocket(): Promise<WebSocketConstructor | undefined> {
  try {
    const { WebSocket } = await import('ws')
    return WebSocket as unknown as WebSocketConstructor
  } catch {
    return globalThis.WebSocket as WebSocketConstructor | undefined
  }
}
