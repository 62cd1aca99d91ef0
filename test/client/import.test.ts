import type { Contact, Kith } from '@kith/client'
import {
  type AddressKind,
  canPickContacts,
  type ImportProgress,
  pickContacts,
  planImport,
  readContacts,
} from '@kith/client/import'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { first, installation } from '../support/devices.ts'
import { card } from '../support/phone-books.ts'

const ada = card('VERSION:3.0', 'FN:Ada', 'TEL:+44 20 7946 0123')
const bob = card('VERSION:3.0', 'FN:Bob', 'TEL:+44 20 7946 0124')
const phoneNumbers = { region: 'GB' }
const options = { source: 'phone', phoneNumbers }

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const book = (...cards: string[]): AsyncIterable<never> => readContacts(bytes(cards.join(''))) as never
const contactsOf = async (kith: Kith): Promise<Contact[]> => first(kith.contacts())
const labelsOf = async (kith: Kith): Promise<[string, string | undefined][]> =>
  (await contactsOf(kith)).map(({ id, label }) => [id, label])

afterEach(() => vi.unstubAllGlobals())

describe('a plan', () => {
  test('[D5] a plan says what an import would add, change and leave alone, and writes nothing', async () => {
    const kith = await installation('alice').open()
    await kith.getProfile('+442079460124').setProfileAccessLevels([])
    await kith.getProfile('+442079460124').save()
    const before = kith.unsent
    const eve = card('FN:Eve', 'TEL:12')
    const none = card('FN:None', 'EMAIL:none@example.com')
    const plan = await planImport(kith, book(ada, bob, eve, none), options)
    expect(plan).toMatchObject({
      added: [{ address: '+442079460123', label: 'Ada' }],
      changed: [{ address: '+442079460124', label: 'Bob' }],
      ...{ unchanged: [], gone: [] },
      invalid: [
        { address: '12', label: 'Eve', reason: 'not-a-phone-number', line: 11 },
        { address: undefined, label: 'None', reason: 'no-address', line: 15 },
      ],
    })
    expect(kith.unsent).toBe(before)
    expect(await labelsOf(kith)).toEqual([['+442079460124', undefined]])
  })

  test('[R3] the same file again changes nothing and writes nothing', async () => {
    const kith = await installation('alice').open()
    const plan = async () => planImport(kith, book(ada, bob), { ...options, levels: [2, 1], subscribe: true })
    expect(await (await plan()).apply()).toMatchObject({ added: 2, changed: 0, unchanged: 0, removed: 0 })
    const { unsent } = kith
    const again = await plan()
    expect(again).toMatchObject({ added: [], changed: [], gone: [], invalid: [] })
    expect(again.unchanged).toHaveLength(2)
    expect(await again.apply()).toMatchObject({ added: 0, changed: 0, unchanged: 2 })
    expect(kith.unsent).toBe(unsent)
    expect(await contactsOf(kith)).toMatchObject([
      { id: '+442079460123', label: 'Ada', levels: [1, 2], isSubscribed: true },
      { id: '+442079460124', label: 'Bob', levels: [1, 2], isSubscribed: true },
    ])
  })

  test('[R5] an import takes away neither a level nor a follow nor a block', async () => {
    const kith = await installation('alice').open()
    const profile = kith.getProfile('+442079460123')
    profile.setProfileAccessLevels([7])
    profile.subscribe(true)
    profile.block(true)
    await profile.save()
    await (await planImport(kith, book(ada), { ...options, levels: [1], subscribe: false })).apply()
    expect(await contactsOf(kith)).toMatchObject([
      { levels: [1, 7], isSubscribed: true, isBlocked: true, label: 'Ada' },
    ])
  })

  test('a contact that the user renamed keeps that name until the source has another one', async () => {
    const kith = await installation('alice').open()
    await (await planImport(kith, book(ada), options)).apply()
    const profile = kith.getProfile('+442079460123')
    profile.setLabel('Mum')
    await profile.save()
    expect((await planImport(kith, book(ada), options)).unchanged).toHaveLength(1)
    const renamed = await planImport(kith, book(ada.replace('FN:Ada', 'FN:Ada King')), options)
    expect(renamed.changed).toEqual([{ address: '+442079460123', label: 'Ada King' }])
  })

  test('entries that left the source since its last import are gone, and removed only when asked', async () => {
    const device = installation('alice')
    const kith = await device.open()
    await (await planImport(kith, book(ada, bob), options)).apply()
    expect((await planImport(kith, book(bob), { ...options, source: 'other' })).gone).toEqual([])
    await kith.close()

    const later = await device.open()
    const kept = await planImport(later, book(bob), options)
    expect(kept.gone).toEqual([{ address: '+442079460123', label: 'Ada' }])
    await (await planImport(later, book(bob), { ...options, source: 'other' })).apply()
    expect(await labelsOf(later)).toHaveLength(2)
    expect(await kept.apply({ removeGone: true })).toMatchObject({ removed: 1 })
    expect(await labelsOf(later)).toEqual([['+442079460124', 'Bob']])
  })

  test('a contact that the user has removed is not offered for removal', async () => {
    const kith = await installation('alice').open()
    await (await planImport(kith, book(ada, bob), options)).apply()
    await kith.getProfile('+442079460123').remove()
    expect((await planImport(kith, book(bob), options)).gone).toEqual([])
  })

  test('an import without removing leaves those who are gone alone, and does not offer them again', async () => {
    const kith = await installation('alice').open()
    await (await planImport(kith, book(ada, bob), options)).apply()
    await (await planImport(kith, book(bob), options)).apply()
    expect(await labelsOf(kith)).toHaveLength(2)
    expect((await planImport(kith, book(bob), options)).gone).toEqual([])
  })

  test('undo takes an import back, except where the user changed something since', async () => {
    const kith = await installation('alice').open()
    await kith.enableAutoSyncContacts(false)
    await (await planImport(kith, book(bob), options)).apply()
    const plan = await planImport(kith, book(ada, bob.replace('FN:Bob', 'FN:Robert')), { ...options, levels: [1] })
    const result = await plan.apply()
    const profile = kith.getProfile('+442079460123')
    profile.setLabel('Mum')
    await profile.save()
    await result.undo()
    expect(await contactsOf(kith)).toMatchObject([{ id: '+442079460124', label: 'Bob', levels: [] }])
    expect(kith.getProfile('+442079460123').label).toBe('Mum')
    expect((await planImport(kith, book(ada), options)).gone).toEqual([{ address: '+442079460124', label: 'Bob' }])
  })

  test('a thousand contacts are written in one transaction', async () => {
    const kith = await installation('alice').open()
    const entries = Array.from({ length: 2500 }, (_, index) => ({
      ...{
        index,
        line: index + 1,
        name: `Person ${index}`,
        phoneNumbers: [`user-${index}`],
        emails: [],
        diagnoses: [],
      },
    }))
    const progress: ImportProgress[] = []
    const plan = await planImport(kith, entries, { source: 'x', onProgress: step => progress.push(step) })
    expect(kith.unsent).toBe(0)
    expect(progress.at(-1)).toEqual({ stage: 'planning', done: 2500, total: 2500 })
    expect(await plan.apply()).toMatchObject({ added: 2500 })
    expect(kith.unsent).toBe(3) // One change per transaction.
    const applied = progress.filter(({ stage }) => stage === 'applying').map(({ done }) => done)
    expect(applied).toEqual([0, 1000, 2000, 2500])
  })

  test('[D5] a name that is too long for a label is cut, and does not hold back the others', async () => {
    const kith = await installation('alice').open()
    await (await planImport(kith, book(card(`FN:${'ü'.repeat(500)}`, 'TEL:+44 20 7946 0123')), options)).apply()
    expect(await labelsOf(kith)).toEqual([['+442079460123', 'ü'.repeat(128)]])
  })

  test('without phone numbers each number and e-mail address counts as a user id, and the kind can be chosen', async () => {
    const kith = await installation('alice').open()
    const both = (): AsyncIterable<never> => book(card('FN:Ada', 'TEL:ada', 'EMAIL:ada@example.com', 'TEL:alice'))
    const addresses = async (kind?: AddressKind): Promise<string[]> => {
      const plan = await planImport(kith, both(), { source: 'x', ...(kind && { addresses: kind }) })
      return plan.added.map(({ address }) => address)
    }
    expect(await addresses()).toEqual(['ada', 'ada@example.com'])
    expect(await addresses('emails')).toEqual(['ada@example.com'])
    expect(await addresses('phone-numbers')).toEqual(['ada'])
    expect(await addresses('both')).toEqual(['ada', 'ada@example.com'])
    expect((await planImport(kith, both(), { source: 'x' })).invalid).toMatchObject([
      { address: 'alice', reason: 'self' },
    ])
  })

  test('wrong arguments are TypeErrors that name them', async () => {
    const kith = await installation('alice').open()
    const wrong = (...changed: object[]): Promise<unknown> =>
      planImport(kith, [], { ...options, ...changed[0] } as never)
    await expect(wrong({ source: '' })).rejects.toThrow(
      new TypeError('source must be a string that is not empty, not ""'),
    )
    await expect(wrong({ levels: [256] })).rejects.toThrow(TypeError)
    await expect(wrong({ levels: null })).rejects.toThrow(TypeError)
    await expect(wrong({ subscribe: 1 })).rejects.toThrow(TypeError)
    await expect(wrong({ phoneNumbers: { region: 'XX' } })).rejects.toThrow(
      new TypeError('phoneNumbers.region must be the code of a country, not "XX"'),
    )
    await expect(wrong({ addresses: 'x' })).rejects.toThrow(TypeError)
    await expect(planImport({} as never, [], options)).rejects.toThrow(TypeError)
    expect(() => readContacts('x' as never)).toThrow(TypeError)
    expect(() => readContacts(bytes(''), { format: 'xml' as never })).toThrow(TypeError)
    await kith.close()
    await expect(planImport(kith, [], options)).rejects.toMatchObject({ code: 'closed' })
  })
})

describe('reading and cancelling', () => {
  test('a Blob, bytes and a stream give the same entries', async () => {
    const names = async (source: Parameters<typeof readContacts>[0]): Promise<(string | undefined)[]> => {
      const found = []
      for await (const { name } of readContacts(source)) found.push(name)
      return found
    }
    const blob = new Blob([ada, bob])
    expect(await names(blob)).toEqual(['Ada', 'Bob'])
    expect(await names(bytes(ada + bob))).toEqual(['Ada', 'Bob'])
    expect(await names(blob.stream() as ReadableStream<Uint8Array>)).toEqual(['Ada', 'Bob'])
  })

  /** A stream that yields one card, and then nothing. */
  function hangingStream(): { stream: ReadableStream<Uint8Array>; cancelled: () => unknown } {
    let cancelled: unknown
    const stream = new ReadableStream<Uint8Array>({
      start: controller => controller.enqueue(bytes(ada + bob)),
      cancel: reason => {
        cancelled = reason ?? 'without a reason'
      },
    })
    return { stream, cancelled: () => cancelled }
  }

  test('an abort rejects with its reason, cancels the stream and releases its reader', async () => {
    const { stream, cancelled } = hangingStream()
    const controller = new AbortController()
    const iterator = readContacts(stream, { signal: controller.signal })[Symbol.asyncIterator]()
    expect(await iterator.next()).toMatchObject({ value: { name: 'Ada' } })
    await iterator.next()
    const waiting = iterator.next()
    const reason = new Error('the user left')
    controller.abort(reason)
    await expect(waiting).rejects.toBe(reason)
    expect(cancelled()).toBe(reason)
    expect(stream.locked).toBe(false)
    await expect(readContacts(bytes(ada), { signal: controller.signal })[Symbol.asyncIterator]().next()).rejects.toBe(
      reason,
    )
  })

  test('an iteration that ends early cancels the stream', async () => {
    const { stream, cancelled } = hangingStream()
    for await (const _ of readContacts(stream)) break
    await vi.waitFor(() => expect(cancelled()).toBeDefined())
    expect(stream.locked).toBe(false)
  })

  test('an abort of planning rejects with its reason, and releases a stream that gives nothing', async () => {
    const kith = await installation('alice').open()
    const { stream } = hangingStream()
    const controller = new AbortController()
    const planning = planImport(kith, readContacts(stream), { ...options, signal: controller.signal })
    const reason = new Error('the user left')
    setImmediate(() => controller.abort(reason))
    await expect(planning).rejects.toBe(reason)
    await vi.waitFor(() => expect(stream.locked).toBe(false))
    expect(kith.unsent).toBe(0)
  })

  test('an abort of writing rejects between two transactions, and another import completes it', async () => {
    const kith = await installation('alice').open()
    const entries = Array.from({ length: 1500 }, (_, index) => ({
      ...{ index, line: 1, phoneNumbers: [`user-${index}`], emails: [], diagnoses: [] },
    }))
    const controller = new AbortController()
    const onProgress = ({ stage, done }: ImportProgress): void => {
      if (stage === 'applying' && done === 1000) controller.abort(new Error('stop'))
    }
    const plan = await planImport(kith, entries, { source: 'x', signal: controller.signal, onProgress })
    await expect(plan.apply()).rejects.toThrow('stop')
    expect(await planImport(kith, entries, { source: 'x' })).toMatchObject({ unchanged: { length: 1000 }, gone: [] })
    expect(await (await planImport(kith, entries, { source: 'x' })).apply()).toMatchObject({
      added: 500,
      unchanged: 1000,
    })
  })

  test('the error of a stream rejects', async () => {
    const stream = new ReadableStream<Uint8Array>({ start: controller => controller.error(new Error('lost')) })
    await expect(readContacts(stream)[Symbol.asyncIterator]().next()).rejects.toThrow('lost')
    const texts = new ReadableStream<string>({ start: controller => controller.enqueue('BEGIN') })
    await expect(
      readContacts(texts as never)
        [Symbol.asyncIterator]()
        .next(),
    ).rejects.toThrow(TypeError)
  })
})

describe('the contact picker', () => {
  test('what the user picks in the browser gives entries', async () => {
    const select = vi.fn(async () => [
      { name: ['Ada'], tel: ['+44 20 7946 0123', ' '], email: [] },
      { name: [null], tel: [], email: ['bob@example.com'] },
    ])
    vi.stubGlobal('navigator', { contacts: { select } })
    expect(canPickContacts()).toBe(true)
    expect(await pickContacts()).toEqual([
      { index: 0, line: 1, name: 'Ada', phoneNumbers: ['+44 20 7946 0123'], emails: [], diagnoses: [] },
      { index: 1, line: 2, phoneNumbers: [], emails: ['bob@example.com'], diagnoses: [] },
    ])
    expect(select).toHaveBeenCalledWith(['name', 'tel', 'email'], { multiple: true })
  })

  test('a browser without a contact picker gives undefined', async () => {
    expect(canPickContacts()).toBe(false)
    expect(await pickContacts()).toBeUndefined()
  })
})
