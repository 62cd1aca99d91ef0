import { execFile } from 'node:child_process'
import { copyFileSync, cpSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { applied, type Generated } from './generate.ts'

/**
 * Unused names are not errors here, because a mutant may or may not leave one by chance. StrykerJS also switches these options
 * off.
 */
const ofTypes = '--noEmit --noUnusedLocals false --noUnusedParameters false --allowUnreachableCode true'.split(' ')
const ofPromises = ['lint', '--vcs-enabled=false', '--only=nursery/noFloatingPromises']

/**
 * Finds mutants that `npm run check` refuses: by the compiler, or by the linter's rule against floating promises. Such a mutant
 * cannot be committed, so it is not tested and does not count. StrykerJS also leaves out mutants with a compile error.
 */
export class Refusals {
  readonly #root: string
  readonly #folder: string
  #last: Promise<unknown> = Promise.resolve()

  /** Copies the built packages to a folder in which mistakes can be made. */
  constructor(root: string, folder: string) {
    this.#root = root
    this.#folder = `${folder}/`
    this.remove()
    mkdirSync(folder, { recursive: true })
    cpSync(`${root}packages`, `${folder}/packages`, {
      ...{ recursive: true, verbatimSymlinks: true, preserveTimestamps: true },
    })
    symlinkSync(`${root}node_modules`, `${folder}/node_modules`)
    for (const name of ['biome.json', 'package.json', 'tsconfig.base.json'])
      copyFileSync(root + name, this.#folder + name)
  }

  /** Returns the first error, or `undefined` if there is none. Only one mistake at a time is in the folder. */
  of(mutant: Generated): Promise<string | undefined> {
    const found = this.#last.then(() => this.#look(mutant))
    this.#last = found.catch(() => undefined)
    return found
  }

  async #look(mutant: Generated): Promise<string | undefined> {
    const { file } = mutant
    const text = readFileSync(this.#root + file, 'utf8')
    writeFileSync(this.#folder + file, applied(text, mutant))
    try {
      const [folder, name] = file.split('/')
      return (
        (await this.#errorOf('tsc', [...ofTypes, '-p', `${folder}/${name}`], /error TS\d+: .*/)) ??
        (await this.#errorOf('biome', [...ofPromises, file], /lint\/\w+\/\w+/))
      )
    } finally {
      writeFileSync(this.#folder + file, text)
    }
  }

  #errorOf(program: string, given: readonly string[], form: RegExp): Promise<string | undefined> {
    return new Promise((resolve, reject) => {
      execFile(`${this.#root}node_modules/.bin/${program}`, given, { cwd: this.#folder }, (error, stdout, stderr) => {
        const [said] = form.exec(stdout + stderr) ?? []
        if (!error) resolve(undefined)
        else if (said === undefined) reject(new Error(`${program} failed: ${stdout}${stderr}`))
        else resolve(said)
      })
    })
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true })
  }
}
