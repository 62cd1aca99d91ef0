import assert from 'node:assert/strict'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { check, openLevelDatabase, systemClock } from '@kith/server'
import { comparableRecords } from '@kith/server/testing'
import { makeByDevices } from './by-devices.ts'
import { generate } from './generate.ts'
import type { Population } from './population.ts'

/**
 * Checks that a folder made in bulk holds the same data as a folder made by devices. Each record must be the same, except for
 * times, and positions must have the same order. `check` must find no difference in either.
 */
export async function compareWithDevices(within: string, population: Population): Promise<void> {
  const [bulk, devices] = [join(within, 'made-in-bulk'), join(within, 'made-by-devices')]
  try {
    await generate(population, bulk, systemClock)
    await makeByDevices(population, devices, systemClock)
    const [made, expected] = [await comparableRecords(bulk), await comparableRecords(devices)]
    for (const [key, value] of expected) assert.equal(made.get(key), value, key)
    assert.deepEqual(
      [...made.keys()].filter(key => !expected.has(key)),
      [],
      'records that devices do not make',
    )
    for (const folder of [bulk, devices]) await expectSound(folder)
    console.log(
      `${population.size} users: ${made.size} records are the same as those that devices make; check finds nothing`,
    )
  } finally {
    for (const folder of [bulk, devices]) await rm(folder, { recursive: true, force: true })
  }
}

async function expectSound(folder: string): Promise<void> {
  const database = await openLevelDatabase(folder, true)
  try {
    assert.deepEqual((await check(database)).findings, [])
  } finally {
    await database.close()
  }
}
