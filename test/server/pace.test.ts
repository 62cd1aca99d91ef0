import type { Store } from '@kith/server'
import { TestClock } from '@kith/server/testing'
import { beforeEach, expect, onTestFinished, test, vi } from 'vitest'
import { Pace, pace, profileChange, rosterChange, turnForSlice } from '../support/server-internals.ts'
import { newDatabase, storeOver } from '../support/stores.ts'

let now = 0
let subject: Pace

beforeEach(() => {
  now = 1_000
  subject = new Pace(() => now)
})

test('[S3] long work rests as long as its last slice took, while others change something', () => {
  subject.begin()
  subject.noteServed()
  subject.noteSliceBegins()
  now += 8
  expect(subject.restMs()).toBe(8)
})

test('[S3] long work rests 30 ms at most', () => {
  subject.begin()
  subject.noteSliceBegins()
  now += 500
  subject.noteServed()
  expect(subject.restMs()).toBe(30)
})

test('[S3] long work goes on at full speed when nobody has changed anything for 50 ms', () => {
  subject.begin()
  subject.noteServed()
  subject.noteSliceBegins()
  now += 51
  expect(subject.restMs()).toBe(0)
})

test('[S3] long work never rests in a simulated world', () => {
  subject.noteServed()
  subject.noteSliceBegins()
  now += 8
  expect(subject.restMs()).toBe(0)
})

test('[S3] the next slice of long work begins after the rest', async () => {
  vi.useFakeTimers({ toFake: ['performance', 'setImmediate', 'setTimeout'] })
  onTestFinished(() => {
    vi.useRealTimers()
  })
  pace.begin()
  pace.noteSliceBegins()
  vi.advanceTimersByTime(20)
  pace.noteServed()
  let hasBegun = false
  const next = turnForSlice().then(() => {
    hasBegun = true
  })
  await vi.advanceTimersByTimeAsync(19)
  expect(hasBegun).toBe(false)
  await vi.advanceTimersByTimeAsync(1)
  await next
})

async function newStore(): Promise<Store> {
  return storeOver(await newDatabase('memory'), new TestClock())
}

test('[S3] a small change makes room for itself and those to come; a large one does not', async () => {
  pace.begin()
  const store = await newStore()
  pace.noteSliceBegins()
  const contacts = Array.from({ length: 600 }, (_, index) => [`contact ${index}`, { isContact: true }])
  await store.commit(rosterChange('alice', Object.fromEntries(contacts)))
  expect(pace.restMs()).toBe(0)
  await store.commit(profileChange('bob', { 0: 'Bob' }))
  expect(pace.restMs()).toBeGreaterThan(0)
})

test('[S3] what all commits wait for does not stand in the line of long work', async () => {
  const store = await newStore()
  await store.commit(profileChange('alice', { 0: 'Alice' }))
  for (let count = 0; count < 600; count++) await store.commit(profileChange('alice', { 0: `Alice ${count}` }))
  let slices = 0
  let isDone = false
  const longWork = async (): Promise<void> => {
    while (!isDone) {
      await turnForSlice()
      slices++
    }
  }
  const users = Array.from({ length: 20 }, longWork)
  const folding = profileChange('alice', { 0: 'Alice' })
  const snapshot = new Uint8Array([0, 0])
  const before = slices
  await store.commit({ ...folding, profile: { levels: new Map(), update: snapshot, ...folding.profile, snapshot } })
  expect(slices - before).toBeLessThan(25)
  isDone = true
  await Promise.all(users)
})
