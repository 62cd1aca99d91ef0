import { execFile } from 'node:child_process'
import { cp, mkdtemp, readdir, realpath, rm, symlink, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const root = fileURLToPath(new URL('../..', import.meta.url))
const packages = ['shared', 'client', 'server']
const execute = promisify(execFile)

/**
 * Packs the packages as for the registry. Installs the app of `test/packed-app` with them, in a folder outside the workspace.
 * All other packages have the versions of the workspace's lock file. The caller removes the folder.
 */
export async function installPackedApp(): Promise<string> {
  const folder = await mkdtemp(join(await realpath(tmpdir()), 'kith-packed-'))
  try {
    await Promise.all(
      packages.map(name => pnpm(join(root, 'packages', name), 'pack', '--out', join(folder, `kith-${name}.tgz`))),
    )
    const app = join(folder, 'app')
    await cp(join(root, 'test/packed-app'), app, { recursive: true, filter: path => !/node_modules|dist/.test(path) })
    await cp(join(root, 'pnpm-lock.yaml'), join(app, 'pnpm-lock.yaml'))
    // A registry would also have @kith/shared.
    await writeFile(join(app, 'pnpm-workspace.yaml'), 'overrides:\n  "@kith/shared": file:../kith-shared.tgz\n')
    await pnpm(app, 'install', '--no-frozen-lockfile', '--prefer-offline', '--ignore-scripts')
    await takeBinary(app)
    return folder
  } catch (error) {
    await rm(folder, { recursive: true })
    throw error
  }
}

/** Runs a Node program in a folder. Resolves to its output; rejects with its output when the program fails. */
export async function runNode(folder: string, ...args: string[]): Promise<string> {
  return run(process.execPath, args, folder)
}

/** Returns the source files of the app. */
export async function packedAppSources(): Promise<string[]> {
  const folder = join(root, 'test/packed-app/src')
  return (await readdir(folder)).map(name => join(folder, name))
}

/** Copies the workspace's binary of better-sqlite3, since compiling it takes a minute. */
async function takeBinary(app: string): Promise<void> {
  const built = join(dirname(createRequire(import.meta.url).resolve('better-sqlite3/package.json')), 'build')
  await symlink(built, join(app, 'node_modules/better-sqlite3/build'))
}

async function pnpm(folder: string, ...args: string[]): Promise<void> {
  const { packageManager } = createRequire(import.meta.url)('../../package.json') as { packageManager: string }
  await run('npx', ['--yes', packageManager, ...args], folder)
}

async function run(program: string, args: readonly string[], cwd: string): Promise<string> {
  // The environment of the test runner must not reach the app.
  const { NODE_ENV: _, NODE_OPTIONS: __, ...env } = process.env
  try {
    return (await execute(program, args, { cwd, env, timeout: 120_000 })).stdout
  } catch (error) {
    const { stdout, stderr } = error as { stdout?: string; stderr?: string }
    throw new Error(`${program} ${args.join(' ')} failed:\n${stdout}\n${stderr}`, { cause: error })
  }
}
