import { adminOf } from '../server-process.ts'
import type { Target } from './attack.ts'
import { attacks } from './attacks.ts'

/**
 * A separate process, so that the attacker's work takes no time from the bystanders. It calls `prepare`, and then `run` when
 * the parent process requests it.
 */
const [name = '', url = ''] = process.argv.slice(2)
const attack = attacks[name]
if (!attack || !process.send) throw new Error(`no attack is called ${name}`)
const admin = adminOf(url)
const target: Target = {
  url,
  token: user => admin.token(user),
  exported: async user => (await admin.request('GET', `/v1/users/${encodeURIComponent(user)}/export`)).status,
  erase: async user => (await admin.request('DELETE', `/v1/users/${encodeURIComponent(user)}`)).status,
}
const state = await attack.prepare(target)
process.once('message', () => {
  attack.run(target, state).then(
    ending => process.send?.(ending, () => process.exit(0)),
    (error: unknown) => {
      process.send?.({ text: String(error), isRight: false }, () => process.exit(0))
    },
  )
})
process.send('ready')
