import { TestClock } from '@kith/server/testing'
import { expect, test } from 'vitest'
import { rosterChange, Turns } from '../support/server-internals.ts'
import { newDatabase, storeOver } from '../support/stores.ts'

/** Notes how many slices begin in one turn of the event loop, at most. */
class SlicesInTurn {
  most = 0
  #inTurn = 0

  constructor() {
    const begin = (): void => {
      this.#inTurn = 0
      setImmediate(begin).unref()
    }
    setImmediate(begin).unref()
  }

  note(): void {
    this.#inTurn++
    this.most = Math.max(this.most, this.#inTurn)
  }
}

const users = Array.from({ length: 7 }, (_, index) => `user ${index}`)

test('[S3] the slices of several users’ long work begin in different turns of the event loop', async () => {
  const slices = new SlicesInTurn()
  let count = 0
  const work = async (): Promise<void> => {
    const turns = new Turns(1)
    for (let step = 0; step < 20; step++) {
      await turns.pass()
      slices.note()
      count++
    }
  }
  await Promise.all(users.map(work))
  expect(count).toBe(7 * 20)
  expect(slices.most).toBe(1)
})

test('[S3] users whose relations are read at the same time are read in different turns of the event loop', async () => {
  const store = storeOver(await newDatabase('memory'), new TestClock())
  const facts = Object.fromEntries(
    Array.from({ length: 1_000 }, (_, index) => [`contact ${index}`, { isContact: true }]),
  )
  for (const user of users) await store.commit(rosterChange(user, facts))
  const slices = new SlicesInTurn()
  let relations = 0
  const read = async (user: string): Promise<void> => {
    for await (const some of store.relationsOf(user)) {
      slices.note()
      relations += some.length
    }
  }
  await Promise.all(users.map(read))
  expect(relations).toBe(7 * 1_000)
  expect(slices.most).toBe(1)
})
