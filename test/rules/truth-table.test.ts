import type { Kith } from '@kith/client'
import { factsOf } from '@kith/shared'
import { expect, test } from 'vitest'
import { type Backend, backend } from '../support/backend.ts'
import { coreOf } from '../support/client-internals.ts'
import {
  block,
  grant2,
  type Operation,
  type Pair,
  pairs,
  revoke2,
  type Start,
  starts,
  unblock,
  undone,
} from './operations.ts'
import { outcomes, outcomeText } from './outcomes.ts'

test('[R4][R5] in each line of the table, a block is only lost to an unblock that had seen it', () => {
  const lost: string[] = []
  for (const { one, other } of [...pairs, ...undone]) {
    for (const start of starts) {
      const isBlocked = start.made.includes(block)
      const isMade = !isBlocked && [...one, ...other].includes(block)
      const isKept = isBlocked && ![...one, ...other].includes(unblock)
      const all = outcomes(start, { one, other })
      if ((isMade || isKept) && !all.every(held => held.includes('blocked'))) {
        lost.push(`${start.name}: ${nameOf(one)}, and ${nameOf(other)}`)
      }
    }
  }
  expect(lost).toEqual([])
})

test('[R1] results that depend on client ids are marked', () => {
  const [stranger] = starts as [Start]
  expect(outcomes(stranger, { one: [grant2, revoke2], other: [grant2] })).toEqual(['contact', 'contact: 2'])
})

test('[R1][R2][R4][R5] two clients and a server merge any two changes as docs/RULES.md says', {
  timeout: 60_000,
}, async () => {
  const world = await backend()
  const [phone, laptop] = [await world.device('alice'), await world.device('alice')]
  await phone.enableAutoSyncContacts(false)
  const cases = allCases()
  for (const { contact, start } of cases) await make(phone, contact, start.made)
  await settle(phone, laptop)
  phone.disconnect()
  laptop.disconnect()
  for (const { contact, pair, isPhoneFirst } of cases) {
    await make(phone, contact, isPhoneFirst ? pair.one : pair.other)
    await make(laptop, contact, isPhoneFirst ? pair.other : pair.one)
  }
  phone.connect()
  laptop.connect()
  await settle(phone, laptop)
  for (const { contact, start, pair } of cases) {
    const held = factsHeld(phone, contact)
    expect(factsHeld(laptop, contact)).toEqual(held)
    const what = `${start.name}: ${nameOf(pair.one)}, and ${nameOf(pair.other)}`
    const seen = held.isBlocked ? [] : [...new Set([0, ...held.levels])]
    expect([what, outcomes(start, pair)]).toEqual([what, expect.arrayContaining([outcomeText(held)])])
    expect([what, await visibleTo(world, contact)]).toEqual([what, seen])
  }
})

interface Case {
  contact: string
  start: Start
  pair: Pair
  isPhoneFirst: boolean
}

/** Every pair from every start, in both directions, each with a separate contact. */
function allCases(): Case[] {
  const cases = [...pairs, ...undone].flatMap(pair =>
    starts.flatMap(start => [true, false].map(isPhoneFirst => ({ pair, start, isPhoneFirst }))),
  )
  return cases.map((one, index) => ({ ...one, contact: `contact ${index}` }))
}

async function make(kith: Kith, contact: string, made: readonly Operation[]): Promise<void> {
  for (const operation of made) await operation.onDevice(kith, contact)
}

async function settle(...devices: Kith[]): Promise<void> {
  for (let round = 0; round < 2; round++) for (const kith of devices) await kith.whenSynced()
}

function factsHeld(kith: Kith, contact: string): ReturnType<typeof factsOf> {
  return factsOf(coreOf(kith).store.documents.roster.view, contact)
}

/** The levels that the server itself reports. */
async function visibleTo({ admin }: Backend, viewer: string): Promise<unknown> {
  await admin('PUT', `/v1/users/${encodeURIComponent(viewer)}`, {})
  const query = new URLSearchParams({ owner: 'alice', viewer })
  const { body } = await admin('GET', `/v1/visibility?${query}`)
  return (body as { levels: unknown }).levels
}

function nameOf(made: readonly Operation[]): string {
  return made.map(({ name }) => name).join(', then ')
}
