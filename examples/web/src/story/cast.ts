import type { Kith, Profile } from '@kith/client'
import { goTo, placeOf } from '../device/place.ts'
import type { Device } from '../devices/device.ts'
import type { Devices } from '../devices/devices.ts'
import type { DeviceName } from '../devices/name.ts'
import { navigation } from '../navigation/navigation.ts'
import { home } from '../navigation/place.ts'
import { until } from './until.ts'

/** The place where a change becomes visible. */
export type Scene = 'phone' | 'laptop' | 'server' | 'bob' | 'carol'

/** The participants: new users each time, so that the story can be repeated. */
export interface Cast {
  alice: string
  bob: string
  carol: string
  phone: Kith
  laptop: Kith
  bobsPhone: Kith
  /** Shows Bob on Alice's devices, Alice on Bob's, or on Alice's devices the list of her contacts. */
  show(what: 'alice' | 'bob' | 'list'): void
  /** Highlights the device on which something changed, and no other; a narrow window scrolls to it. */
  lookAt(scene: Scene | undefined): void
  /** Sets the network switch of one of these devices. */
  setOnline(kith: Kith, isOnline: boolean): void
  /** Returns Carol's phone; opens it at the first call. */
  carolArrives(): Promise<Kith>
  /** Whether any byte that Bob's phone received contained a text. */
  hasReachedBob(text: string): boolean
  signal: AbortSignal
}

export async function castFor(
  devices: Devices,
  hasReceived: (name: DeviceName, text: string) => boolean,
  signal: AbortSignal,
): Promise<Cast> {
  await devices.removeAll()
  const tale = Math.random().toString(36).slice(2, 6)
  const [alice, bob, carol] = ['alice', 'bob', 'carol'].map(name => `${name}@tale-${tale}.example`) as [
    string,
    string,
    string,
  ]
  const arrive = async (user: string, device: string): Promise<[Device, Kith]> => {
    signal.throwIfAborted()
    const added = devices.add({ user, device })
    await until(`${added.title} is open`, () => added.kith !== undefined, signal)
    return [added, added.kith as Kith]
  }
  const [[alicesPhone, phone], [alicesLaptop, laptop], [bobsDevice, bobsPhone]] = await Promise.all([
    arrive(alice, 'phone'),
    arrive(alice, 'laptop'),
    arrive(bob, 'phone'),
  ])
  await Promise.all([phone, laptop, bobsPhone].map(kith => kith.whenSynced({ signal })))
  const fixed = { phone: alicesPhone, laptop: alicesLaptop, bob: bobsDevice }
  let carolsDevice: Device | undefined
  return {
    ...{ alice, bob, carol, phone, laptop, bobsPhone, signal },
    show(what) {
      if (what === 'alice') show(bobsDevice, alice)
      else for (const device of [alicesPhone, alicesLaptop]) show(device, what === 'bob' ? bob : undefined)
    },
    lookAt(scene) {
      const seen = scene === undefined ? undefined : { ...fixed, carol: carolsDevice, server: undefined }[scene]
      for (const device of devices.all) device.highlight(device === seen)
      if (seen) goTo(placeOf(seen))
    },
    setOnline(kith, isOnline) {
      for (const device of [alicesPhone, alicesLaptop]) if (device.kith === kith) device.setOnline(isOnline)
    },
    carolArrives: async () => {
      const [device, kith] = await arrive(carol, 'phone')
      carolsDevice = device
      return kith
    },
    hasReachedBob: text => hasReceived(bobsDevice.name, text),
  }
}

function show({ key }: Device, person: string | undefined): void {
  navigation.show(key, person === undefined ? home : { tab: 'contacts', person })
}

/** Changes the settings of one device for a person. */
export async function edit(kith: Kith, id: string, stage: (profile: Profile) => void): Promise<void> {
  const profile = kith.getProfile(id)
  stage(profile)
  await profile.save()
}
