import type { Kith } from '@kith/client'
import { type ContactEntry, type ImportPlan, type PlanImportOptions, planImport } from '@kith/client/import'
import { describe, expect, test } from 'vitest'
import { installation } from '../support/devices.ts'
import { unhandledRejections } from '../support/unhandled-rejections.ts'

async function quiet(): Promise<Kith> {
  const kith = await installation('alice').open()
  await kith.enableAutoSyncContacts(false)
  return kith
}

function entry(name: string, address = `${name.toLowerCase()}@example.com`): ContactEntry {
  return { index: 0, line: 1, name, phoneNumbers: [], emails: [address], diagnoses: [] }
}

const bob = 'bob@example.com'

function plan(kith: Kith, names: readonly string[], options: Partial<PlanImportOptions> = {}): Promise<ImportPlan> {
  return planImport(
    kith,
    names.map(name => entry(name)),
    { source: 'phone', ...options },
  )
}

function labelOf(kith: Kith, id: string): [isContact: boolean, label: string | undefined] {
  const profile = kith.getProfile(id)
  return [profile.isContact, profile.label]
}

describe('importing again', () => {
  test('a contact that was removed comes back with its name', async () => {
    const kith = await quiet()
    await (await plan(kith, ['Bob'])).apply()
    await kith.getProfile(bob).remove()
    const again = await plan(kith, ['Bob'])
    expect(again.added).toEqual([{ address: bob, label: 'Bob' }])
    await again.apply()
    expect(labelOf(kith, bob)).toEqual([true, 'Bob'])
  })

  test('a contact that left one source and was removed comes back with its name from another source', async () => {
    const kith = await quiet()
    for (const source of ['phone', 'google']) await (await plan(kith, ['Bob'], { source })).apply()
    await (await plan(kith, [], { source: 'google' })).apply({ removeGone: true })
    expect(labelOf(kith, bob)).toEqual([false, undefined])
    await (await plan(kith, ['Bob'])).apply()
    expect(labelOf(kith, bob)).toEqual([true, 'Bob'])
  })

  test('a contact whose name the user removed stays without a name, and a user who kept a name keeps it', async () => {
    const kith = await quiet()
    await (await plan(kith, ['Bob', 'Carol'])).apply()
    await kith.getProfile(bob).setLabel(null).save()
    const carol = kith.getProfile('carol@example.com').setLabel('Caz')
    await carol.setProfileAccessLevels(null).save()
    await (await plan(kith, ['Bob', 'Carol'])).apply()
    expect([labelOf(kith, bob), labelOf(kith, carol.id)]).toEqual([
      [true, undefined],
      [true, 'Caz'],
    ])
  })

  test('a second apply of one plan keeps a name that the user gave in between, and removes no contact again', async () => {
    const kith = await quiet()
    await (await plan(kith, ['Carol'])).apply()
    const twice = await plan(kith, ['Bob'])
    expect(await twice.apply({ removeGone: true })).toMatchObject({ added: 1, removed: 1 })
    await kith.getProfile(bob).setLabel('Robert').save()
    await kith.getProfile('carol@example.com').setProfileAccessLevels([]).save()
    const again = await twice.apply({ removeGone: true })
    expect(again).toMatchObject({ added: 0, changed: 0, unchanged: 1, removed: 0 })
    expect([labelOf(kith, bob), labelOf(kith, 'carol@example.com')]).toEqual([
      [true, 'Robert'],
      [true, undefined],
    ])
    await again.undo()
    expect(labelOf(kith, bob)).toEqual([true, 'Robert'])
  })
})

describe('undoing', () => {
  test('undo of an earlier import keeps the record of a later one, so its contacts can be gone', async () => {
    const kith = await quiet()
    const first = await (await plan(kith, ['Bob'])).apply()
    await (await plan(kith, ['Bob', 'Carol'])).apply()
    await first.undo()
    expect(labelOf(kith, bob)).toEqual([false, undefined])
    expect((await plan(kith, ['Bob'])).gone).toEqual([{ address: 'carol@example.com', label: 'Carol' }])
  })

  test('undo of the last import brings the record of the one before back', async () => {
    const kith = await quiet()
    await (await plan(kith, ['Bob', 'Carol'])).apply()
    await (await (await plan(kith, ['Bob'])).apply()).undo()
    expect((await plan(kith, ['Bob'])).gone).toEqual([{ address: 'carol@example.com', label: 'Carol' }])
  })

  test('a second undo changes nothing that the user has done since', async () => {
    const kith = await quiet()
    const result = await (await plan(kith, ['Bob'])).apply()
    await result.undo()
    await kith.getProfile(bob).setProfileAccessLevels([]).setLabel('Bob').save()
    await result.undo()
    expect(labelOf(kith, bob)).toEqual([true, 'Bob'])
  })
})

describe('an import that is cut off', () => {
  test('[D5] apply resolves although onProgress throws, and a later import keeps the name that the user gave', async () => {
    const kith = await quiet()
    const errors = unhandledRejections()
    const onProgress = (): void => {
      throw new Error('of the app')
    }
    expect(await (await plan(kith, ['Bob'], { onProgress })).apply()).toMatchObject({ added: 1 })
    await kith.getProfile(bob).setLabel('Robert').save()
    await (await plan(kith, ['Bob'])).apply()
    expect(labelOf(kith, bob)).toEqual([true, 'Robert'])
    await expect.poll(() => errors).toHaveLength(3)
  })

  test('a name that the user gave after an aborted import stays when another import completes it', async () => {
    const kith = await quiet()
    const names = Array.from({ length: 1500 }, (_, index) => `User${index}`)
    const controller = new AbortController()
    const aborted = await plan(kith, names, {
      signal: controller.signal,
      onProgress: ({ stage, done }) => stage === 'applying' && done === 1000 && controller.abort(new Error('stop')),
    })
    await expect(aborted.apply()).rejects.toThrow('stop')
    await kith.getProfile('user7@example.com').setLabel('Seven').save()
    expect(await (await plan(kith, names)).apply()).toMatchObject({ added: 500, unchanged: 1000 })
    expect(labelOf(kith, 'user7@example.com')).toEqual([true, 'Seven'])
  })
})
