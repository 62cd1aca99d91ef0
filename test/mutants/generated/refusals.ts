import { execFile } from 'node:child_process'
import { copyFileSync, cpSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { applied, type Generated } from './generate.ts'

/** An unused name is no error here: whether a mutant leaves one is chance. StrykerJS switches these options off, too. */
const ofTypes = '--noEmit --noUnusedLocals false --noUnusedParameters false --allowUnreachableCode true'.split(' ')
const ofPromises = ['lint', '--vcs-enabled=false', '--only=nursery/noFloatingPromises']

/**
 * Finds mutants that `npm run check` refuses: by the compiler, or by the linter's rule against floating promises. Such a mutant
 * cannot be committed, so it is not tested and does not count. StrykerJS leaves out mutants with a compile error, too.
 */
export class Refusals {
  readonly #root: string
  readonly #folder: string
  #last: Promise<unknown> = Promise.resolve()

  /** Copies the packages, as they are built, to a folder in which mistakes can be made. */
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

  /** The first error, or `undefined` where there is none. One mistake at a time is in the folder. */
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
