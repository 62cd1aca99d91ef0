import { openMemoryStore } from '@kith/server'
import { TestClock } from '@kith/server/testing'
import type { ServerMessage } from '@kith/shared/wire'
import { expect, onTestFinished, test } from 'vitest'
import { DirectMessages, Relay, rosterChange, type Session, userChange } from '../support/server-internals.ts'
import { limitsWith } from '../support/stores.ts'

test('[V1] a message is not delivered if a block was written during its visibility check', async () => {
  const limits = limitsWith()
  const inner = await openMemoryStore({ limits, clock: new TestClock() })
  let afterReading: (() => Promise<unknown>) | undefined
  const store = new Proxy(inner, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target)
      if (name !== 'views') return typeof value === 'function' ? value.bind(target) : value
      return async (...args: Parameters<typeof inner.views>) => {
        const views = await target.views(...args)
        const run = afterReading
        afterReading = undefined
        await run?.()
        return views
      }
    },
  })
  const relay = new Relay(store)
  const stop = store.onCommit(relay.listener)
  onTestFinished(async () => {
    stop()
    await inner.close()
  })
  await inner.commit(userChange('alice'))
  await inner.commit(userChange('bob'))
  const said: ServerMessage[] = []
  const session = (user: string): Session =>
    ({
      user,
      hasArrived: true,
      feed: { recheck: () => undefined, levelsOf: () => [] },
      say: (message: ServerMessage) => said.push(message),
    }) as never
  relay.join(session('bob'))
  const clock = new TestClock()
  const messages = new DirectMessages({ store, relay, limits, clock })
  afterReading = () => inner.commit(rosterChange('bob', { alice: { isBlocked: true } }))
  void messages.send(session('alice'), { id: 'n', to: 'bob', text: 'hello' })
  while (said.length === 0) {
    await new Promise(resolve => setImmediate(resolve))
    clock.move(1_000)
  }
  expect(said).toEqual([{ type: 'outcome', id: 'n', state: 'unconfirmed' }])
})
