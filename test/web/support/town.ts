import { type Demo, type Look, openDemo } from './demo.ts'
import type { DeviceCard } from './device-card.ts'

export interface Town extends Demo {
  alicesPhone: DeviceCard
  alicesLaptop: DeviceCard
  bobsPhone: DeviceCard
}

/** Opens the page after “Open the town”: three devices of the town, each in step with the server. */
export async function openTown(look: Look = {}): Promise<Town> {
  const demo = await openDemo(look)
  await demo.page.getByRole('button', { name: 'Open the town' }).click()
  const [alicesPhone, alicesLaptop, bobsPhone] = ['Alice’s phone', 'Alice’s laptop', 'Bob’s phone'].map(
    demo.device,
  ) as [DeviceCard, DeviceCard, DeviceCard]
  for (const device of [alicesPhone, alicesLaptop, bobsPhone]) await device.isInStep()
  return { ...demo, alicesPhone, alicesLaptop, bobsPhone }
}
