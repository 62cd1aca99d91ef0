import { mkdtemp, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Listening, listen } from '../server-process.ts'
import type { PeerName } from './peer-device.ts'

const require = createRequire(import.meta.url)

/** The packages that each peer's server needs, besides this package. */
const neededBy: Readonly<Record<PeerName, readonly string[]>> = {
  hocuspocus: ['@hocuspocus/server', 'better-sqlite3/build/Release/better_sqlite3.node'],
  'y-websocket': ['y-websocket-with-server/bin/utils', 'y-leveldb'],
}

/**
 * Starts a peer's server on a new folder, or returns what is missing. Peers are optional: if one cannot be installed, the rest
 * still runs.
 */
async function startPeer(name: PeerName): Promise<Listening | { missing: string }> {
  const missing = neededBy[name].find(module => !isInstalled(module, name))
  if (missing !== undefined) return { missing: `${name} is skipped: ${missing} is not installed` }
  const folder = await mkdtemp(join(tmpdir(), `kith-bench-${name}-`))
  const program = fileURLToPath(new URL(`./${name}-server.js`, import.meta.url))
  const child = await listen([program], { PEER_FOLDER: folder, YPERSISTENCE: folder })
  return {
    ...child,
    stop: async () => {
      await child.stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** Starts the peers that can be installed here. `notes` lists the others. */
export async function startPeers(
  names: readonly PeerName[],
): Promise<{ peers: { name: PeerName; server: Listening }[]; notes: string[] }> {
  const peers: { name: PeerName; server: Listening }[] = []
  const notes: string[] = []
  for (const name of names) {
    const started = await startPeer(name)
    if ('missing' in started) notes.push(started.missing)
    else peers.push({ name, server: started })
  }
  return { peers, notes }
}

function isInstalled(module: string, name: PeerName): boolean {
  try {
    // y-leveldb is a dependency of the peer, not of this package.
    const from = module === 'y-leveldb' ? createRequire(require.resolve(neededBy[name][0] as string)) : require
    from.resolve(module)
    return true
  } catch {
    return false
  }
}
