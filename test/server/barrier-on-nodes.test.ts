import type { Store } from '@kith/server'
import { expect, test } from 'vitest'
import { backend } from '../support/backend.ts'

const node = { lagMs: 0, isBehind: false, isUnconfirmed: false, lacksStandby: false, conflicts: 0 }

test('[F1] on one of several nodes whenSynced waits until the node has reported what all nodes had written', async () => {
  let isHeld = false
  let release: () => void = () => undefined
  let asked = 0
  const wrap = (inner: Store): Store => {
    const own: Partial<Store> = {
      node,
      whenCurrent: async () => {
        asked++
        if (isHeld) {
          await new Promise<void>(resolve => {
            release = resolve
          })
        }
      },
    }
    return new Proxy(inner, {
      get: (target, name) => own[name as keyof Store] ?? Reflect.get(target, name, target),
    })
  }
  const { device } = await backend({}, wrap)
  const alice = await device('alice')
  await alice.whenSynced()
  isHeld = true
  asked = 0
  let isSynced = false
  const synced = alice.whenSynced().then(() => {
    isSynced = true
  })
  await expect.poll(() => asked).toBe(1)
  for (let turn = 0; turn < 100; turn++) await new Promise(resolve => setImmediate(resolve))
  expect(isSynced).toBe(false)
  isHeld = false
  release()
  await synced
})
