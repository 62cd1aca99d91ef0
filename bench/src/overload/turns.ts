import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pause } from './attack.ts'

/** Returns the settings for starting a server whose turns of the event loop can be read with {@link turnsOf}. */
export async function turnsMeasured(): Promise<{ file: string; nodeArguments: string[]; env: Record<string, string> }> {
  const file = join(await mkdtemp(join(tmpdir(), 'kith-turns-')), 'turns')
  const nodeArguments = ['--import', new URL('./measure-turns.js', import.meta.url).href]
  return { file, nodeArguments, env: { KITH_BENCH_TURNS: file } }
}

/** Returns the turns of the server's event loop since the last call, in its own processor time. */
export async function turnsOf(pid: number, file: string): Promise<{ longestMs: number; above20: number }> {
  await rm(file, { force: true })
  process.kill(pid, 'SIGUSR2')
  for (;;) {
    await pause(20)
    const text = await readFile(file, 'utf8').catch(() => '')
    if (text !== '') return JSON.parse(text) as { longestMs: number; above20: number }
  }
}
