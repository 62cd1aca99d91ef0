import { setImmediate as turn } from 'node:timers/promises'
import { TestClock } from '@kith/client/testing'
import type { ClientMessage } from '@kith/shared/wire'
import { expect, test } from 'vitest'
import { RateLimiter, Watching } from '../support/client-internals.ts'

const online = { is: 'online' } as const

function session() {
  const clock = new TestClock()
  const pace = new RateLimiter(clock)
  const sent: ClientMessage[] = []
  const shown: string[][] = []
  const watching = new Watching({
    pace,
    send: message => sent.push(message),
    show: known => shown.push([...known.keys()]),
  })
  const asked = (): readonly string[][] =>
    sent.flatMap(message => (message.type === 'watch' ? [[...message.owners]] : []))
  return { clock, pace, watching, asked, shown }
}

test('[V8] the presence of an owner who is no longer watched is forgotten at once, and does not come back with the others', async () => {
  const { watching, shown } = session()
  await watching.start()
  await watching.want(['alice', 'bob'])
  for (const user of ['alice', 'bob']) watching.heard(user, online)
  await watching.want(['bob'])
  expect(shown).toEqual([['alice'], ['alice', 'bob'], ['bob']])
  // Late: it was in flight when the server received the change.
  watching.heard('alice', online)
  watching.heard('bob', online)
  expect(shown.slice(3)).toEqual([['bob']])
})

test('[S3] owners added while a watch message waits are sent with it, in one message', async () => {
  const { clock, pace, watching, asked } = session()
  await watching.start()
  await pace.take(1_600)
  for (const users of [['alice'], ['alice', 'bob'], ['bob', 'carol']]) void watching.want(users)
  for (let turns = 0; turns < 5; turns++) await turn()
  expect(asked()).toEqual([])
  for (let turns = 0; turns < 10; turns++) {
    clock.move(1_000)
    await turn()
  }
  expect(asked().at(-1)).toEqual(['bob', 'carol'])
  expect(asked().length).toBeLessThanOrEqual(2)
})

test('a session that ends while a watch message waits sends nothing more', async () => {
  const { clock, pace, watching, asked, shown } = session()
  await watching.start()
  await watching.want(['alice'])
  watching.heard('alice', online)
  await pace.take(1_598)
  void watching.want(['alice', 'bob'])
  watching.end()
  for (let turns = 0; turns < 10; turns++) {
    clock.move(1_000)
    await turn()
  }
  expect([asked(), shown.at(-1)]).toEqual([[['alice']], []])
})
