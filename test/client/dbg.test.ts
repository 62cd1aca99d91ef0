import { expect, onTestFinished, test } from 'vitest'
import { World } from '../support/world/world.ts'
test('x', async () => {
  let on = false
  const world = await World.begin({ seed: 1, hasTabs: true, tell: (way, frame) => on && console.log(way, JSON.stringify(frame).slice(0,150)) })
  onTestFinished(() => world.end())
  const phone = world.device('alice', 'p')
  const bob = world.device('bob', 'b')
  const pass = async (ms: number) => { await world.flow(); await world.pass(ms, true); await world.flow() }
  for (const device of [phone, phone, bob]) await world.open(device)
  await pass(3_000)
  const [one, two] = phone.tabs.map(({ kith }) => kith!)
  const b = bob.tab!.kith!
  await b.ownProfile.set('name', 'Bob')
  two!.getProfile('bob')
  await pass(2000)
  console.log(two!.getProfile('bob').get('name'), two!.status, two!.unsent)
  on = true
  await b.ownProfile.set('name', 'Robert')
  const old = world.network.wires.find(w => w.url.endsWith('alice') && !w.hasDeviceEnded)
  while ((old?.down.length ?? 0) === 0 && (await world.next(0))) continue
  console.log('freeze', old!.down.length)
  await world.freeze(phone)
  two!.on('status', e => console.log('two', e))
  await pass(15_000)
  console.log(two!.getProfile('bob').get('name'), two!.status, two!.unsent)
  await b.ownProfile.set('name', 'Rob')
  await pass(2000)
  console.log(two!.getProfile('bob').get('name'), two!.status, two!.unsent)
})
