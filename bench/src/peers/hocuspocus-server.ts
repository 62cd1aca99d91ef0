import { createRequire } from 'node:module'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import type * as Yjs from 'yjs'

/** hocuspocus's types do not compile here. It must use the same copy of Yjs as this file, so both are loaded as CommonJS. */
const require = createRequire(import.meta.url)
const Y = require('yjs') as typeof Yjs
const { Server } = require('@hocuspocus/server') as { Server: new (options: object) => PeerServer }

interface PeerServer {
  listen(): Promise<unknown>
  readonly address: { port: number }
}

interface OfDocument {
  documentName: string
  document: Yjs.Doc
}

/**
 * hocuspocus with SQLite. It loads and stores whole documents, as hocuspocus's own extension does, whose package needs a
 * compiler. It relays a change before it stores it, two seconds after the last change.
 */
const database = new Database(join(process.env['PEER_FOLDER'] as string, 'documents.sqlite'))
database.pragma('journal_mode = WAL')
database.exec('CREATE TABLE IF NOT EXISTS documents (name TEXT PRIMARY KEY, data BLOB NOT NULL)')
const select = database.prepare('SELECT data FROM documents WHERE name = ?')
const upsert = database.prepare(
  'INSERT INTO documents (name, data) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET data = excluded.data',
)

const server = new Server({
  address: '127.0.0.1',
  port: 0,
  quiet: true,
  async onLoadDocument({ documentName, document }: OfDocument) {
    const row = select.get(documentName) as { data: Buffer } | undefined
    if (row) Y.applyUpdate(document, row.data)
    return document
  },
  async onStoreDocument({ documentName, document }: OfDocument) {
    upsert.run(documentName, Buffer.from(Y.encodeStateAsUpdate(document)))
  },
})
await server.listen()
process.stdout.write(`listening on ws://127.0.0.1:${server.address.port}\n`)
process.once('SIGTERM', () => process.exit(0))
