import { execFileSync, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { Dexie } from 'dexie'
import { IDBFactory, IDBKeyRange } from 'fake-indexeddb'
import { Level } from 'level'
import { build } from 'vite'
import { WebSocket } from 'ws'
import { linkDependencies } from './dependencies.js'
import { samples } from './samples.js'
import { dumpSqlite } from './sqlite-file.js'
import { withoutBytes } from './values.js'

/*
 * `node test/releases/record.js [ROOT [FOLDER]]`: what a release leaves to later versions, in a folder with its version: its server and
 * its client, packed; a data folder and a device's databases in IndexedDB and SQLite that they wrote, with what must be seen in
 * them; and its frames.
 * ROOT is the checkout of the release, by default this one. With FOLDER, all is written there instead, and not noted. A folder
 * that is there is never written again.
 */

const here = dirname(fileURLToPath(import.meta.url))
const root = resolve(process.argv[2] ?? join(here, '../..'))
const { version } = JSON.parse(readFileSync(join(root, 'packages/server/package.json'), 'utf8'))
const folder = resolve(process.argv[3] ?? join(here, version))
if (existsSync(folder)) throw new Error(`${folder} is there already: what a release left is never changed`)
const work = mkdtempSync(join(tmpdir(), 'kith-release-'))

/** The packed server has no `package.json` in which it finds its version. */
const withVersion = {
  name: 'with-version',
  enforce: 'pre',
  transform: code =>
    code.replace("createRequire(import.meta.url)('../../package.json')", JSON.stringify({ version })),
}

const isLibrary = id => !/^[./]|^@kith\//.test(id)

/** One file for each program, without the libraries that it uses. */
async function bundle(name, input) {
  const shared = join(root, 'packages/shared')
  const { exports } = JSON.parse(readFileSync(join(shared, 'package.json'), 'utf8'))
  const alias = Object.entries(exports).flatMap(([path, { source }]) => {
    const find = new RegExp(`^@kith/shared${path.slice(1)}$`)
    return source ? [{ find, replacement: join(shared, source) }] : []
  })
  await build({
    configFile: false,
    logLevel: 'warn',
    root,
    plugins: [withVersion],
    resolve: { alias },
    build: {
      ssr: true,
      target: 'node20',
      minify: true,
      outDir: join(work, name),
      rolldownOptions: {
        input,
        external: isLibrary,
        output: { entryFileNames: '[name].js', chunkFileNames: '[name].js' },
      },
    },
  })
}

async function startServer(data) {
  const child = spawn(process.execPath, [join(work, 'server/main.js'), 'serve', '--port', '0', '--data', data], {
    env: { ...process.env, KITH_ADMIN_KEY: 'admin', KITH_TOKEN_SECRET: 'a secret of 32 bytes, or even more' },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let url
  for await (const line of createInterface({ input: child.stdout })) {
    url = /^listening on (\S+)$/.exec(line)?.[1]
    if (url) break
  }
  const request = async (method, path) => {
    const response = await fetch(url + path, { method, headers: { authorization: 'Bearer admin' } })
    return response.status === 204 ? undefined : response.json()
  }
  const stop = () =>
    new Promise(done => {
      child.once('exit', done)
      child.kill('SIGTERM')
    })
  return { url, request, stop }
}

/** What each release plays: three friends, a block, a pair, an account that was erased, and a change that stays unsent. */
async function play({ openKith, sqlite }, server) {
  const storages = new Map()
  const open = (user, storage) => {
    if (!storage) storages.set(user, new IDBFactory())
    return openKith({
      url: server.url.replace('http', 'ws'),
      user,
      databaseName: user,
      WebSocket,
      ...(storage ? { storage } : { indexedDB: storages.get(user), IDBKeyRange }),
      token: async () => (await server.request('POST', `/v1/users/${user}/tokens`)).token,
    })
  }
  const [alice, bob, carol, erin] = await Promise.all(['alice', 'bob', 'carol', 'erin'].map(user => open(user)))
  await alice.ownProfile.set('name', 'Ada')
  await alice.ownProfile.set('phone', '+441632960001', { level: 2 })
  await alice.ownProfile.set('avatar', Uint8Array.of(1, 2, 3), { level: 2 })
  await alice.ownProfile.set('old', 'removed', { level: 2 })
  await alice.ownProfile.unset('old', { level: 2 })
  const friend = alice.getProfile('bob')
  friend.setProfileAccessLevels([1, 2])
  friend.setLabel('Bob from work')
  friend.subscribe(true)
  await friend.save()
  const blocked = alice.getProfile('carol')
  blocked.block(true)
  await blocked.save()
  await bob.ownProfile.set('name', 'Bob')
  for (const viewer of [bob, carol]) {
    const profile = viewer.getProfile('alice')
    profile.subscribe(true)
    await profile.save()
  }
  await alice.setMessageAudience('contacts')
  for (let round = 0; round < 2; round++) for (const one of [alice, bob, carol, erin]) await one.whenSynced()
  await server.request('PUT', '/v1/pairs/alice/bob')
  await server.request('DELETE', '/v1/users/erin')
  for (const viewer of [bob, alice]) await viewer.whenSynced()
  const onSqlite = await open('alice', sqlite(join(work, 'devices')))
  await onSqlite.whenSynced()
  onSqlite.disconnect()
  await onSqlite.ownProfile.set('city', 'London')
  alice.disconnect()
  await alice.ownProfile.set('name', 'Ada Lovelace')
  const late = alice.getProfile('dave')
  late.setLabel('Dave')
  await late.save()
  const [device, deviceOnSqlite] = [await seenBy(alice), await seenBy(onSqlite)]
  const visibility = {}
  for (const pair of ['alice/bob', 'bob/alice', 'alice/carol', 'bob/carol', 'alice/erin']) {
    const [owner, viewer] = pair.split('/')
    visibility[pair] = await server.request('GET', `/v1/visibility?owner=${owner}&viewer=${viewer}`)
  }
  for (const one of [alice, bob, carol, erin, onSqlite]) await one.close()
  return { seen: { device, sqlite: deviceOnSqlite, visibility }, storage: storages.get('alice') }
}

async function seenBy(kith) {
  const [bob, carol] = [kith.getProfile('bob'), kith.getProfile('carol')]
  await bob.loaded
  return {
    unsent: kith.unsent,
    fields: [...kith.ownProfile.fields],
    label: bob.label,
    levels: bob.accessLevels,
    isBlocked: carol.isBlocked,
    shown: bob.fields,
  }
}

async function dumpDevice(indexedDB) {
  const db = new Dexie('alice', { indexedDB, IDBKeyRange })
  await db.open()
  const tables = {}
  for (const table of db.tables) {
    const { primKey, indexes } = table.schema
    const stores = [primKey, ...indexes].map(({ src }) => src).join(', ')
    tables[table.name] = { stores, rows: await table.toArray() }
  }
  const dump = { version: db.backendDB().version, tables }
  db.close()
  return dump
}

async function dumpFolder(data) {
  const level = new Level(join(data, 'store'), { keyEncoding: 'utf8', valueEncoding: 'view' })
  const entries = await level.iterator().all()
  await level.close()
  return entries
}

const lines = all => `${all.map(one => JSON.stringify(withoutBytes(one))).join('\n')}\n`

await bundle('server', {
  main: join(root, 'packages/server/src/main.ts'),
  'merge-worker': join(root, 'packages/server/src/documents/merge-worker.ts'),
})
await bundle('client', {
  index: join(root, 'packages/client/src/index.ts'),
  sqlite: join(root, 'packages/client/src/sqlite/index.ts'),
  wire: join(root, 'packages/shared/src/wire/index.ts'),
})
linkDependencies(work)
const { encodeFrame } = await import(pathToFileURL(join(work, 'client/wire.js')).href)
const data = join(work, 'data')
const server = await startServer(data)
const [client, sqliteClient] = await Promise.all(
  ['index', 'sqlite'].map(name => import(pathToFileURL(join(work, `client/${name}.js`)).href)),
)
const played = await play({ ...client, ...sqliteClient }, server)
await server.stop()

mkdirSync(folder)
const write = (name, text) => writeFileSync(join(folder, name), text)
write('folder.jsonl', lines(await dumpFolder(data)))
write('device.jsonl', lines([await dumpDevice(played.storage)]))
write('sqlite.jsonl', lines([dumpSqlite(join(work, 'devices'))]))
write('seen.jsonl', lines([played.seen]))
write('frames.jsonl', lines(samples.map(message => ({ message, frame: encodeFrame(message) }))))
execFileSync('tar', ['-czf', join(folder, 'packed.tar.gz'), '-C', work, 'server', 'client'])
const sums = readdirSync(folder).map(name => {
  const hash = createHash('sha256')
    .update(readFileSync(join(folder, name)))
    .digest('hex')
  return `${hash}  ${version}/${name}\n`
})
if (!process.argv[3]) writeFileSync(join(here, 'checksums.txt'), sums.join(''), { flag: 'a' })
rmSync(work, { recursive: true })
