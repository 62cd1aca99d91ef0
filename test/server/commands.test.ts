import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { openLevelDatabase } from '@kith/server'
import { defaultLimits } from '@kith/shared'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { WebSocket } from 'ws'
import { connectNats, readSettings } from '../support/server-internals.ts'
import { smallDisk } from '../support/small-disk.ts'
import { temporaryFolder } from '../support/stores.ts'

// Each test starts processes, which takes long on a busy machine.
vi.setConfig({ testTimeout: 60_000 })

/** The built program: tests start the same processes as an operator. */
const main = fileURLToPath(new URL('../../packages/server/dist/main.js', import.meta.url))
const demo = fileURLToPath(new URL('../../examples/web/dist/server/main.js', import.meta.url))

interface Ended {
  code: number | null
  stdout: string
  stderr: string
}

interface Running {
  child: ChildProcessWithoutNullStreams
  /** Resolves with the output once it matches. Rejects if the process ends first. */
  prints(pattern: RegExp): Promise<RegExpExecArray>
  ended: Promise<Ended>
}

function start(args: readonly string[], env: Record<string, string> = {}): Running {
  const child = spawn(process.execPath, [main, ...args], { env: { PATH: process.env['PATH'], ...env } })
  const output = { stdout: '', stderr: '' }
  child.stderr.on('data', data => {
    output.stderr += String(data)
  })
  const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, ...output }))
  onTestFinished(async () => {
    child.kill('SIGKILL')
    await ended
  })
  child.stdout.on('data', data => {
    output.stdout += String(data)
  })
  const prints = (pattern: RegExp): Promise<RegExpExecArray> =>
    new Promise((resolve, reject) => {
      // Registered after the listener above, so the output is complete here.
      child.stdout.on('data', () => {
        const match = pattern.exec(output.stdout)
        if (match) resolve(match)
      })
      ended.then(({ code, stderr }) => reject(new Error(`ended with ${code}: ${stderr}`)), reject)
    })
  return { child, prints, ended }
}

function run(args: readonly string[], env: Record<string, string> = {}): Promise<Ended> {
  return start(args, env).ended
}

/** Runs a program with a limit on its open files. */
async function runWithFewFiles(openFiles: number, program: string, ...args: string[]): Promise<Ended> {
  const command = ['-c', `ulimit -n ${openFiles} && exec "$0" "$@"`, process.execPath, program, ...args]
  const child = spawn('sh', command)
  const output = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].on('data', data => {
      output[name] += String(data)
    })
  }
  const [code] = await once(child, 'close')
  return { code: code as number | null, ...output }
}

test('a command that fails ends its process, whatever it has left open', async () => {
  const program = new URL('../../packages/server/dist/index.js', import.meta.url).href
  const code = `import { runProgram } from '${program}'
    setInterval(() => undefined, 1_000_000)
    await runProgram('kith-server', () => Promise.reject(new Error('it failed')))`
  const child = spawn(process.execPath, ['--input-type=module', '--eval', code])
  onTestFinished(() => void child.kill('SIGKILL'))
  let printed = ''
  child.stderr.on('data', data => {
    printed += String(data)
  })
  expect(await once(child, 'close')).toEqual([1, null])
  expect(printed).toContain('kith-server: Error: it failed')
})

test('a server on a data folder loads nothing of PostgreSQL', async () => {
  const program = `import { createRequire } from 'node:module'
    await import(${JSON.stringify(main.replace('main.js', 'command-line.js'))})
    console.log(Object.keys(createRequire(import.meta.url).cache).filter(path => /node_modules.pg/.test(path)).length)`
  const child = spawn(process.execPath, ['--input-type=module', '--eval', program])
  let printed = ''
  child.stdout.on('data', data => {
    printed += String(data)
  })
  await once(child, 'close')
  expect(printed.trim()).toBe('0')
})

/** Matches one line that says what is wrong and what to do. */
function oneLine(words: RegExp): unknown {
  return expect.stringMatching(new RegExp(`^kith-[a-z]+: [^\\n]*${words.source}[^\\n]*\\n$`))
}

async function serve(
  folder: string,
  env: Record<string, string> = {},
  ...args: string[]
): Promise<Running & { url: string }> {
  const running = start(['serve', '--port', '0', '--data', folder, ...args], { KITH_LOG_LEVEL: 'error', ...env })
  const [, url] = await running.prints(/^listening on (http:\/\/127\.0\.0\.1:\d+)$/m)
  return { ...running, url: url as string }
}

const given = {
  KITH_TOKEN_SECRET: 'a secret of these tests, of 32 bytes or more',
  KITH_ADMIN_KEY: 'a key of these tests',
}

describe('a command line that is wrong is answered with 2 and what to do', () => {
  test.each<[string[], RegExp]>([
    [[], /Give a command[\s\S]*Usage/],
    [['start'], /no command start[\s\S]*Usage/],
    [['constructor'], /no command constructor/],
    [['serve', 'now'], /now/],
    [['serve', '--prot', '1'], /--prot/],
    [['serve', '--port'], /--port/],
    [['serve', '--port', '70000'], /--port must be a whole number from 0 to 65535/],
    [['serve', '--port', 'http'], /--port must be a whole number/],
    [['serve', '--host', '0.0.0.0'], /set KITH_TOKEN_SECRET .* and KITH_ADMIN_KEY/],
    [['serve', '--host', '::'], /loopback only/],
    [['serve', '--limits', 'missing.json'], /--limits must name a readable JSON file/],
    [['serve', '--data', ''], /--data must name a folder/],
    [['check', '--data='], /--data must name a folder/],
    [['token'], /name one user/],
    [['token', 'alice', 'bob'], /name one user/],
    [['token', '..'], /is no user id/],
    [['token', ' alice'], /is no user id/],
    [['check', 'everything'], /everything/],
    [['check', '--fix'], /--fix/],
    [['compact', '--data'], /--data/],
  ])('%j', async (args, message) => {
    const data = args.includes('--data') || args.length === 0 ? [] : ['--data', join(await temporaryFolder(), 'data')]
    const { code, stderr, stdout } = await run([...args, ...(args[0] === 'serve' || args[0] === 'token' ? data : [])])
    expect([code, stdout]).toEqual([2, ''])
    expect(stderr).toMatch(message)
    expect(stderr).not.toMatch(/\n {4}at /)
  })

  test('a wrong environment or limit is answered with 2 and what to do', async () => {
    const folder = await temporaryFolder()
    const data = ['serve', '--port', '0', '--data', join(folder, 'data')]
    const cases: [Record<string, string>, unknown, RegExp][] = [
      [{ KITH_LIMIT_LABEL_BYTES: 'many' }, {}, /KITH_LIMIT_LABEL_BYTES: labelBytes must be a whole number/],
      [{ KITH_LIMIT_LABEL_BYTES: '-1' }, {}, /must be a whole number, 0 or more/],
      [
        { KITH_LIMIT_LABLE_BYTES: '1' },
        {},
        /no limit is set by KITH_LIMIT_LABLE_BYTES; known are .*KITH_LIMIT_LABEL_BYTES/,
      ],
      [{}, { lableBytes: 1 }, /no limit is called lableBytes; known are .*labelBytes/],
      [{}, { labelBytes: '1' }, /labelBytes must be a whole number/],
      [{}, [1], /expected an object of limits/],
      [{ KITH_TRUSTED_PROXIES: 'everyone' }, {}, /KITH_TRUSTED_PROXIES.*10\.0\.0\.0\/8/],
      [{ KITH_JWKS_URL: 'https://app/jwks', KITH_TOKEN_SECRET: 'x' }, {}, /not both/],
      [{ KITH_JWKS_URL: 'app' }, {}, /KITH_JWKS_URL must be a URL/],
      [
        { KITH_MESSAGE_POLICY: 'friends' },
        {},
        /KITH_MESSAGE_POLICY must be one of everyone, contacts, nobody, not "friends"/,
      ],
      [{ KITH_LOG_LEVEL: 'loud' }, {}, /KITH_LOG_LEVEL must be one of fatal, error, .*, not "loud"/],
    ]
    const check = async ([env, limits, message]: (typeof cases)[number], index: number): Promise<void> => {
      const file = join(folder, `limits ${index}.json`)
      await writeFile(file, JSON.stringify(limits))
      const { code, stderr } = await run([...data, '--limits', file], env)
      expect([code, stderr]).toEqual([2, expect.stringMatching(message)])
    }
    await Promise.all(cases.map(check))
    expect(await readdir(folder)).not.toContain('data')
    const jwks = { KITH_JWKS_URL: 'https://app/jwks' }
    expect(await run(['token', 'alice', ...data.slice(3)], jwks)).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/from its issuer/),
    })
  })

  test('a token secret that can be guessed is refused beyond this machine, and serves on it', async () => {
    const folder = join(await temporaryFolder(), 'data')
    const short = { KITH_TOKEN_SECRET: 'é'.repeat(15), KITH_ADMIN_KEY: 'key' }
    const message = /to listen on 0\.0\.0\.0 KITH_TOKEN_SECRET must have at least 32 bytes, not 30: openssl/
    expect(await run(['serve', '--port', '0', '--host', '0.0.0.0', '--data', folder], short)).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(message),
    })
    expect((await serve(folder, short)).url).toMatch(/^http:/)
  })

  test('help exits with 0', async () => {
    for (const args of [['--help'], ['help'], ['serve', '--help'], ['check', '--help']]) {
      expect(await run(args)).toMatchObject({ code: 0, stdout: expect.stringMatching(/Usage/), stderr: '' })
    }
  })
})

describe('serve', () => {
  test('serve prints its address, creates secrets that only their owner may read, and exits with 0 on SIGTERM', async () => {
    const folder = join(await temporaryFolder(), 'data')
    const { url, child, ended } = await serve(folder)
    expect((await fetch(`${url}/readyz`)).status).toBe(200)
    for (const name of ['token-secret', 'admin-key']) {
      expect([name, (await stat(join(folder, name))).mode & 0o777]).toEqual([name, 0o600])
    }
    const adminKey = (await readFile(join(folder, 'admin-key'), 'utf8')).trim()
    const headers = { authorization: `Bearer ${adminKey}` }
    expect((await fetch(`${url}/v1/users/alice`, { method: 'PUT', headers })).status).toBe(201)
    child.kill('SIGTERM')
    expect(await ended).toMatchObject({ code: 0, stdout: `listening on ${url}\n`, stderr: '' })
    const again = await serve(folder)
    expect((await fetch(`${again.url}/v1/users/alice`, { headers })).status).toBe(200)
    again.child.kill('SIGINT')
    expect((await again.ended).code).toBe(0)
  })

  test('serve uses the secrets of the settings, and creates none', async () => {
    const folder = await temporaryFolder()
    const file = join(folder, 'limits.json')
    await writeFile(file, '{ "labelBytes": 3 }')
    const { url, child, ended } = await serve(
      join(folder, 'data'),
      { ...given, KITH_LIMIT_LOOKUPS: '5' },
      '--limits',
      file,
    )
    const headers = { authorization: `Bearer ${given.KITH_ADMIN_KEY}` }
    expect((await fetch(`${url}/v1/users/alice`, { headers })).status).toBe(404)
    expect(await readdir(join(folder, 'data'))).toEqual(['acknowledged', 'store'])
    child.kill('SIGTERM')
    expect((await ended).code).toBe(0)
  })

  test('[R4] serve lets no messages of strangers reach anybody with KITH_MESSAGE_POLICY=contacts', async () => {
    const { url, child, ended } = await serve(join(await temporaryFolder(), 'data'), {
      ...given,
      KITH_MESSAGE_POLICY: 'contacts',
    })
    const headers = { authorization: `Bearer ${given.KITH_ADMIN_KEY}` }
    for (const user of ['alice', 'bob']) await fetch(`${url}/v1/users/${user}`, { method: 'PUT', headers })
    const answer = await fetch(`${url}/v1/communication?from=bob&to=alice`, { headers })
    expect(await answer.json()).toEqual({ allowed: false, reason: 'not-granted' })
    child.kill('SIGTERM')
    expect((await ended).code).toBe(0)
  })

  test('serve says what to do about a port that is taken and a folder that is in use, of another format or not writable', async () => {
    const folder = await temporaryFolder()
    const other = createServer()
    await new Promise<void>(resolve => other.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => void other.close())
    const { port } = other.address() as AddressInfo
    const taken = await run(['serve', '--port', String(port), '--data', join(folder, 'a')])
    expect(taken).toMatchObject({ code: 2, stderr: expect.stringMatching(/is taken: give another with --port/) })
    const { child, ended } = await serve(join(folder, 'a'))
    for (const command of [['serve', '--port', '0'], ['check'], ['compact']]) {
      const { code, stderr } = await run([...command, '--data', join(folder, 'a')])
      expect([code, stderr]).toEqual([1, expect.stringMatching(/in use by another process: stop that server first/)])
    }
    child.kill('SIGTERM')
    await ended
    const database = await openLevelDatabase(join(folder, 'a'))
    await database.put('meta\u0000format', new TextEncoder().encode('kith-9'))
    await database.close()
    for (const command of [['serve', '--port', '0'], ['check'], ['compact']]) {
      const { code, stderr } = await run([...command, '--data', join(folder, 'a')])
      expect([code, stderr]).toEqual([1, expect.stringMatching(/has the format "kith-9"[\s\S]*--data/)])
    }
    await writeFile(join(folder, 'file'), '')
    for (const env of [{}, given]) {
      const { code, stderr } = await run(['serve', '--port', '0', '--data', join(folder, 'file')], env)
      expect([code, stderr]).toEqual([
        1,
        expect.stringMatching(/^kith-server: (no secret can be kept|.* can't be opened)/),
      ])
      expect(stderr).not.toMatch(/\n {4}at /)
    }
  })
})

describe('a server that cannot start says why in one line, and what to do', () => {
  test.each([24, 64, 191])('with %i files that it may have open', async openFiles => {
    const data = join(await temporaryFolder(), 'data')
    for (const [program, ...args] of [
      [main, 'serve', '--port', '0'],
      [main, 'check'],
      [demo, '--port', '0'],
    ]) {
      const ended = await runWithFewFiles(openFiles, program as string, ...args, '--data', data)
      const few = new RegExp(`only ${openFiles} files and sockets .* 192 or more.*raise the limit, as with "ulimit -n`)
      expect(ended).toEqual({ code: 1, stdout: '', stderr: oneLine(few) })
    }
  })

  const full = smallDisk(64)
  test.runIf(full)('on a full disk', async () => {
    await full?.fill()
    const args = ['serve', '--port', '0', '--data', join(full?.folder as string, 'data')]
    for (const env of [{}, given]) {
      const stderr = oneLine(/since the disk is full \(.*: make room on it, or give another folder with --data/)
      expect(await run(args, env)).toEqual({ code: 1, stdout: '', stderr })
    }
  })

  const written = smallDisk(8192)
  test.runIf(written)('on a read-only disk', async () => {
    const folder = join(written?.folder as string, 'data')
    const { child, ended } = await serve(folder)
    child.kill('SIGTERM')
    await ended
    written?.makeReadOnly()
    const stderr = oneLine(/since the disk is read-only \(.*: mount it for writing, or give another folder/)
    expect(await run(['serve', '--port', '0', '--data', folder])).toEqual({ code: 1, stdout: '', stderr })
  })

  test('for a host that is none of this machine', async () => {
    const args = ['serve', '--port', '0', '--data', join(await temporaryFolder(), 'data'), '--host', '192.0.2.1']
    const stderr = oneLine(/192\.0\.2\.1 is no address of this machine: give another with --host/)
    expect(await run(args, given)).toEqual({ code: 2, stdout: '', stderr })
  })
})

test('[S3] limits are the defaults, changed by the file, changed by the environment', async () => {
  const folder = await temporaryFolder()
  const file = join(folder, 'limits.json')
  await writeFile(file, '{ "labelBytes": 3, "follows": 4 }')
  const args = ['--data', folder, '--limits', file]
  const { limits } = await readSettings(args, { ...given, KITH_LIMIT_FOLLOWS: '5', KITH_LIMIT_LOOKUPS_PER_DAY: '6' })
  expect(limits).toEqual({ ...defaultLimits, labelBytes: 3, follows: 5, lookupsPerDay: 6 })
})

describe('token', () => {
  test('token prints a token that the server accepts, signed with the folder’s secret', async () => {
    const folder = await temporaryFolder()
    const printed = await run(['token', '+441632960001', '--data', folder])
    expect(printed).toMatchObject({ code: 0, stdout: expect.stringMatching(/^[\w-]+\.[\w-]+\.[\w-]+\n$/) })
    const { url } = await serve(folder)
    const socket = new WebSocket(`${url.replace('http', 'ws')}/v1/roster/%2B441632960001`, [
      'kith.v1',
      `bearer.${printed.stdout.trim()}`,
    ])
    onTestFinished(() => socket.terminate())
    // The server's sync step 1 shows that it accepted the token.
    expect(((await once(socket, 'message')) as [Buffer])[0][0]).toBe(0)
  })
})

describe('check and compact', () => {
  test('[D4] check exits with 0 for a correct folder, with 1 and the findings for a wrong one, and with 1 without a folder', async () => {
    const folder = await temporaryFolder()
    const { url, child, ended } = await serve(folder, given)
    const headers = { authorization: `Bearer ${given.KITH_ADMIN_KEY}` }
    await fetch(`${url}/v1/pairs/alice/bob`, { method: 'PUT', headers })
    child.kill('SIGTERM')
    await ended
    const well = { code: 0, stdout: expect.stringMatching(/2 relations, 0 differences\n$/) }
    expect(await run(['check', '--data', folder])).toMatchObject(well)
    expect(await run(['compact', '--data', folder])).toMatchObject({ code: 0, stdout: 'compacted 0 documents\n' })
    expect(await run(['check', '--data', folder])).toMatchObject(well)
    const database = await openLevelDatabase(folder)
    await database.del('relation\u0000alice\u0000bob')
    await database.close()
    const { code, stdout } = await run(['check', '--data', folder])
    expect(code).toBe(1)
    expect(stdout).toMatch(/"bob": "alice" and this user disagree on their pairing/)
    expect(stdout).toMatch(/Restore the folder from a backup/)
    for (const missing of ['missing', 'empty']) {
      if (missing === 'empty') await mkdir(join(folder, missing))
      for (const command of ['check', 'compact']) {
        const answer = await run([command, '--data', join(folder, missing)])
        expect([answer.code, answer.stderr]).toEqual([
          1,
          expect.stringMatching(/holds no data of Kith: give the right folder with --data/),
        ])
      }
    }
  })
})

test('what nodes say goes over NATS only with a database, and only to a URL of NATS', async () => {
  const database = { ...given, KITH_TOKEN_SECRET: 'x'.repeat(32), KITH_DATABASE_URL: 'postgres://kith@db/kith' }
  const url = 'nats://kith:secret@n1,n2:4222'
  expect((await readSettings([], { ...database, KITH_NATS_URL: url })).natsUrl).toBe(url)
  expect((await readSettings([], database)).natsUrl).toBeUndefined()
  const data = ['--data', await temporaryFolder()]
  await expect(readSettings(data, { ...given, KITH_NATS_URL: url })).rejects.toThrow(/set KITH_DATABASE_URL too/)
  for (const wrong of ['n1:4222', 'http://n1', 'nats://', 'nats://n1/path']) {
    const message = /KITH_NATS_URL must be a URL, as in nats:/
    await expect(readSettings([], { ...database, KITH_NATS_URL: wrong })).rejects.toThrow(message)
  }
})

test('the way to the database for LISTEN is given only with a database, and only as a URL of one', async () => {
  const database = {
    ...given,
    KITH_TOKEN_SECRET: 'x'.repeat(32),
    KITH_DATABASE_URL: 'postgres://kith@pooler:6432/kith',
  }
  const KITH_DATABASE_LISTEN_URL = 'postgres://kith@db1,db2/kith'
  const { database: found } = await readSettings([], { ...database, KITH_DATABASE_LISTEN_URL })
  expect(found?.listenUrl).toBe(KITH_DATABASE_LISTEN_URL)
  const data = ['--data', await temporaryFolder()]
  const message = /set KITH_DATABASE_URL too/
  await expect(readSettings(data, { ...given, KITH_DATABASE_LISTEN_URL })).rejects.toThrow(message)
  const wrong = { ...database, KITH_DATABASE_LISTEN_URL: 'http://db1' }
  await expect(readSettings([], wrong)).rejects.toThrow(/KITH_DATABASE_LISTEN_URL must be a URL, as in postgres:/)
})

test('a node says which NATS server it cannot reach, and that it needs one', async () => {
  await expect(connectNats('nats://127.0.0.1:1', 'kith')).rejects.toThrow(
    /^no NATS server of KITH_NATS_URL can be reached: /,
  )
})
