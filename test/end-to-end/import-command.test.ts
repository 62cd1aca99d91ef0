import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, onTestFinished, test, vi } from 'vitest'
import { type ServerProcess, serverProgram, startServerProcess } from '../../bench/src/server-process.ts'
import { first } from '../support/devices.ts'
import { card } from '../support/phone-books.ts'
import { openDevice } from '../support/process-devices.ts'

vi.setConfig({ testTimeout: 60_000 })

interface World {
  server: ServerProcess
  folder: string
  /** Writes a file, and returns its path. */
  file(name: string, text: string): Promise<string>
  /** Runs `kith-server import` against the server. */
  run(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }>
}

async function world(): Promise<World> {
  const folder = await mkdtemp(join(tmpdir(), 'kith-import-'))
  const data = join(folder, 'data')
  const server = await startServerProcess({ folder: data })
  onTestFinished(async () => {
    await server.stop()
    await rm(folder, { recursive: true })
  })
  return {
    ...{ server, folder },
    file: async (name, text) => {
      await writeFile(join(folder, name), text)
      return join(folder, name)
    },
    run: (...args) =>
      promisify(execFile)(process.execPath, [
        serverProgram,
        'import',
        '--url',
        server.url,
        '--data',
        data,
        ...args,
      ]).then(
        ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
        (error: { code: number; stdout: string; stderr: string }) => error,
      ),
  }
}

const ada = card('FN:Ada', 'TEL:020 7946 0123')
const bob = card('N:Bob', 'TEL:+44 20 7946 0124')

test('kith-server import brings a phone book into the contacts of a user, and the same file again changes nothing', async () => {
  const { server, file, run } = await world()
  const book = await file('book.vcf', ada + bob + card('FN:Eve', 'TEL:12'))
  const args = [book, '--user', 'alice', '--region', 'GB', '--levels', '1,2', '--subscribe']
  const dry = await run(...args, '--dry-run')
  expect(dry).toMatchObject({
    code: 0,
    stdout: [
      'add +442079460123 Ada',
      'add +442079460124 Bob',
      'would be: 2 added, 0 changed, 0 unchanged, 1 not imported, 0 gone and kept; 3 entries read\n',
    ].join('\n'),
  })
  expect(dry.stderr).toContain('line 5: Bob: There is no FN, so the name is that of N\n')
  expect(dry.stderr).toContain('line 9: Eve: 12: not a phone number\n')
  expect((await server.admin('GET', '/v1/users/alice')).status).toBe(404) // A dry run registers nobody.

  expect((await run(...args)).stdout).toMatch(/^2 added, 0 changed, 0 unchanged, 1 not imported/)
  const phone = await openDevice(server, 'alice')
  await phone.whenSynced()
  expect(await first(phone.contacts())).toMatchObject([
    { id: '+442079460123', label: 'Ada', levels: [1, 2], isSubscribed: true },
    { id: '+442079460124', label: 'Bob', levels: [1, 2], isSubscribed: true },
  ])
  const commits = await server.metric('kith_commits_total')
  expect((await run(...args)).stdout).toMatch(/^0 added, 0 changed, 2 unchanged/)
  expect(await server.metric('kith_commits_total')).toBe(commits)
})

test('with a record, who left the phone book is said, and removed only when asked; the record is for its owner alone', async () => {
  const { server, folder, file, run } = await world()
  const record = join(folder, 'record.json')
  const args = ['--user', 'alice', '--region', 'GB', '--record', record]
  await run(await file('one.vcf', ada + bob), ...args)
  expect((await stat(record)).mode & 0o777).toBe(0o600)
  const later = await file('two.vcf', bob)
  expect((await run(later, ...args, '--dry-run')).stdout).toMatch(/^gone \+442079460123 Ada\n.* 1 gone and kept;/)
  expect((await run(later, ...args, '--remove-gone')).stdout).toMatch(/^0 added, 0 changed, 1 unchanged, .* 1 removed;/)
  const phone = await openDevice(server, 'alice')
  await phone.whenSynced()
  expect((await first(phone.contacts())).map(({ id }) => id)).toEqual(['+442079460124'])
  expect(JSON.parse(await readFile(record, 'utf8'))).toEqual({ user: 'alice', contacts: { '+442079460124': 'Bob' } })
  expect(await run(later, '--user', 'bob', '--record', record)).toMatchObject({
    ...{ code: 2, stderr: expect.stringContaining('is of another user, alice') },
  })
})

test('kith-server import writes 3,500 contacts, a thousand in one change', async () => {
  const { server, file, run } = await world()
  const rows = Array.from({ length: 3500 }, (_, index) => `Person ${index},user-${index}`)
  const { stdout, stderr } = await run(await file('book.csv', ['Name,Phone', ...rows].join('\n')), '--user', 'alice')
  expect(stdout).toMatch(/^3500 added/)
  expect(stderr.match(/\d+ of 3500 contacts written/g)).toEqual(
    [1000, 2000, 3000, 3500].map(done => `${done} of 3500 contacts written`),
  )
  const phone = await openDevice(server, 'alice')
  await phone.whenSynced()
  expect(await first(phone.contacts())).toHaveLength(3500)
})

test('what is wrong is said in one line, without a stack', async () => {
  const { file, run } = await world()
  const book = await file('book.vcf', ada)
  const cases: [args: string[], code: number, message: RegExp][] = [
    [[], 2, /name one file to import/],
    [[book], 2, /--user USER/],
    [[`${book}x`, '--user', 'alice'], 2, /cannot be read: ENOENT/],
    [[book, '--user', 'alice', '--levels', '1,256'], 2, /--levels must be numbers from 0 to 255/],
    [[book, '--user', 'alice', '--region', 'XX'], 2, /there is no region XX/],
    [[book, '--user', 'alice', '--format', 'xml'], 2, /--format must be vcard or csv/],
    [[book, '--user', 'alice', '--remove-gone'], 2, /--remove-gone needs --record FILE/],
    [[book, '--user', 'alice', '--url', 'localhost'], 2, /--url must be the address/],
    [[book, '--user', 'alice', '--data', '/nowhere'], 2, /there is no folder \/nowhere/],
    [[book, '--user', 'alice', '--url', 'ws://127.0.0.1:9'], 1, /could not reach a server at ws:\/\/127\.0\.0\.1:9/],
  ]
  for (const [args, code, message] of cases) {
    const ended = await run(...args)
    expect([args, ended.code]).toEqual([args, code])
    expect(ended.stderr).toMatch(message)
    expect(ended.stderr).not.toMatch(/\n {4}at /)
  }
})
