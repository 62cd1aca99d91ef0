import { parentPort, workerData } from 'node:worker_threads'
import { Towns, type TownsOptions } from './towns.ts'

/** Receives the numbers of towns, derives these towns, and sends their records. */
const towns = new Towns(workerData as TownsOptions)
parentPort?.on('message', async (number: number) => {
  const town = await towns.derive(number)
  parentPort?.postMessage(
    town,
    [...town.records.values()].map(({ buffer }) => buffer),
  )
})
