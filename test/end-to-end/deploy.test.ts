import { execFile } from 'node:child_process'
import { access, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import { listen, serverProgram, startServerProcess } from '../../bench/src/server-process.ts'
import { findProgram } from '../support/find-program.ts'
import { findPostgres, type PostgresServer, startPostgres } from '../support/postgres.ts'
import { readSettings } from '../support/server-internals.ts'
import { temporaryFolder } from '../support/stores.ts'

// Starting processes takes long on a busy machine.
vi.setConfig({ testTimeout: 180_000, hookTimeout: 120_000 })

const root = fileURLToPath(new URL('../..', import.meta.url))
const run = promisify(execFile)

function deployed(name: string): Promise<string> {
  return readFile(join(root, 'deploy', name), 'utf8')
}

/** The names of metrics in a Prometheus expression, with the label sets that follow them. */
function metricsIn(expression: string): { name: string; labels: string[] }[] {
  return [...expression.matchAll(/\b((?:kith|process|nodejs)_\w+)(?:\{([^}]*)\})?/g)].map(
    ([, name = '', set = '']) => ({
      name,
      labels: [...set.matchAll(/(\w+)\s*(?:=~|!=|=)/g)].map(([, label = '']) => label),
    }),
  )
}

const hasPostgres = (await findPostgres()) !== undefined

// In CI, a missing PostgreSQL is a failure.
describe.skipIf(!hasPostgres && !process.env['CI'])('what watches a server', () => {
  let postgres: PostgresServer
  /** The metrics of a node with webhooks, which has all existing metrics. */
  let metrics: string

  beforeAll(async () => {
    postgres = await startPostgres()
    const database = await postgres.newUrl()
    await run(process.execPath, [serverProgram, 'migrate'], { env: { ...process.env, KITH_DATABASE_URL: database } })
    const webhook = {
      KITH_WEBHOOK_URL: 'http://127.0.0.1:9/',
      KITH_WEBHOOK_SECRET: `whsec_${Buffer.alloc(32).toString('base64')}`,
    }
    const node = await startServerProcess({ database, env: webhook })
    metrics = await (await node.admin('GET', '/metrics')).text()
    await node.stop()
  })

  afterAll(() => postgres?.stop())

  /** Labels that Prometheus adds when it scrapes. */
  const added = ['job', 'instance']

  function expectKnown(expressions: readonly string[]): void {
    for (const expression of expressions) {
      for (const { name, labels } of metricsIn(expression)) {
        const [line] = new RegExp(`^# TYPE ${name} .*$`, 'm').exec(metrics) ?? []
        expect([expression, line]).toEqual([expression, expect.any(String)])
        // A counter by code has no line before its first increment. Its labels are those of the code.
        const samples = metrics.match(new RegExp(`^${name}\\{.*\\}`, 'gm')) ?? []
        for (const label of labels.filter(label => !added.includes(label) && samples.length > 0)) {
          expect([expression, samples.join()]).toEqual([expression, expect.stringContaining(`${label}="`)])
        }
      }
    }
  }

  test('the Grafana dashboard names metrics that a server has, and each of Kith once at least', async () => {
    const { panels } = JSON.parse(await deployed('grafana-dashboard.json')) as {
      panels: { id: number; gridPos: { x: number; w: number }; targets?: { expr: string }[] }[]
    }
    const expressions = panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr))
    expectKnown(expressions)
    const named = new Set(expressions.flatMap(metricsIn).map(({ name }) => name))
    const ours = [...metrics.matchAll(/^# TYPE (kith_\w+)/gm)].map(([, name]) => name)
    expect(ours.filter(name => !named.has(name as string))).toEqual([])
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length)
    for (const { gridPos } of panels) expect(gridPos.x + gridPos.w).toBeLessThanOrEqual(24)
  })

  test('the alerts name metrics that a server has, with the labels that these have', async () => {
    const rules = await deployed('prometheus-rules.yml')
    const expressions = [...rules.matchAll(/^ {8}expr: (.*)$/gm)].map(([, expression = '']) => expression)
    expect(expressions.length).toBe([...rules.matchAll(/- alert: /g)].length)
    expect(expressions.length).toBeGreaterThan(8)
    expectKnown(expressions)
  })
})

const units = ['kith.service', 'kith-backup.service', 'kith-backup.timer']
const systemdAnalyze = await findProgram('systemd-analyze')
if (!systemdAnalyze) process.stdout.write('no systemd-analyze in the PATH: the units are not verified\n')

test.skipIf(!systemdAnalyze)('systemd takes the units', async () => {
  const folder = await temporaryFolder()
  for (const name of units) {
    // The unit looks for the program, which may be elsewhere on this machine.
    await writeFile(join(folder, name), (await deployed(name)).replaceAll('/usr/bin/node', process.execPath))
  }
  const { stderr } = await run(systemdAnalyze as string, [
    'verify',
    '--man=no',
    ...units.map(name => join(folder, name)),
  ])
  expect(stderr).toBe('')
})

test('the units run commands that there are, with options that they take', async () => {
  const { stdout: usage } = await run(process.execPath, [serverProgram, 'help'])
  for (const name of units.filter(name => name.endsWith('.service'))) {
    const [, program = '', command = '', options = ''] =
      /^ExecStart=\/usr\/bin\/node \/opt\/kith\/(\S+) (\w+)(.*)$/m.exec(await deployed(name)) ?? []
    await access(join(root, program))
    const [line] = new RegExp(`^  kith-server ${command} .*$`, 'm').exec(usage) ?? []
    for (const [option] of options.matchAll(/--\w+/g)) expect(line).toContain(option)
  }
})

test('the settings and the drop-in of the guide to several nodes are of the forms that systemd and the server take', async () => {
  const text = await readFile(join(root, 'docs/CLUSTER.md'), 'utf8')
  const [, settings = '', dropIn = ''] = /^```ini\n(KITH_.+?)```.+?^```ini\n(\[Service\].+?)```/ms.exec(text) ?? []
  for (const line of settings.trim().split('\n')) expect(line).toMatch(/^(# .+|KITH_[A-Z_]+=\S+)$/)
  const [, first, program = '', options = ''] =
    /^(ExecStart=)\nExecStart=\/usr\/bin\/node \/opt\/kith\/(\S+) serve (.*)$/m.exec(dropIn) ?? []
  expect(first).toBe('ExecStart=')
  await access(join(root, program))
  const env = Object.fromEntries(
    settings.split('\n').flatMap(line => (line.startsWith('KITH_') ? [line.split(/=(.*)/, 2)] : [])),
  )
  const serves = await readSettings(options.split(' '), env)
  expect(serves).toMatchObject({ host: '0.0.0.0', port: 4180 })
})

test('the Dockerfile copies what there is, and the server that it puts together runs', async () => {
  const text = await deployed('Dockerfile')
  const ignored = (await readFile(join(root, '.dockerignore'), 'utf8')).trim().split('\n')
  expect(ignored).toEqual(expect.arrayContaining(['.git', '**/node_modules', '**/dist']))
  expect([...text.matchAll(/^COPY (\S+) /gm)].map(([, from]) => from)).toEqual(['.', '--from=build'])
  const { scripts, packageManager } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as {
    scripts: object
    packageManager: string
  }
  expect(text).toContain('RUN npm run setup\n')
  expect(scripts).toHaveProperty('setup')
  const [, deploy = ''] = /^RUN npx --yes (pnpm@.* deploy .*) \/server$/m.exec(text) ?? []
  expect(deploy.split(' ')[0]).toBe(packageManager)
  const folder = join(await temporaryFolder(), 'server')
  await run('npx', ['--yes', ...deploy.split(' '), folder], { cwd: root })
  const [, command = ''] = /^CMD (\[.*\])$/m.exec(text) ?? []
  const [node, program = '', ...args] = JSON.parse(command) as string[]
  expect(node).toBe('node')
  const data = await temporaryFolder()
  const local = args.map(arg => ({ '/data': data, '0.0.0.0': '127.0.0.1', '4180': '0' })[arg] ?? arg)
  const server = await listen([program.replace('/server', folder), ...local], { KITH_LOG_LEVEL: 'warn' })
  onTestFinished(() => server.stop())
  expect((await fetch(`${server.url}/healthz`)).status).toBe(200)
  const [, probe = ''] = /^HEALTHCHECK CMD (\[.*\])$/m.exec(text) ?? []
  const [, flag = '', script = ''] = JSON.parse(probe) as string[]
  await run(process.execPath, [flag, script.replace('http://127.0.0.1:4180', server.url)])
  await expect(run(process.execPath, [flag, script.replace(':4180', ':9')])).rejects.toMatchObject({ code: 1 })
})
