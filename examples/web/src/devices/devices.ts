import type { WebSocketConstructor } from '@kith/client'
import { Device } from './device.ts'
import { Emitter } from './emitter.ts'
import { type DeviceName, isDeviceName, isSameDevice } from './name.ts'

const storageKey = 'kith-demo:devices'

/** The devices that this page shows; the list survives a reload of the page. */
export class Devices {
  readonly changes: Emitter = new Emitter()
  readonly #newSocket: (name: DeviceName) => WebSocketConstructor
  /** Whether this is a window for one device, which does not change the list of the page with all devices. */
  readonly #isForOne: boolean
  #isForStory = false
  #devices: readonly Device[]

  constructor(newSocket: (name: DeviceName) => WebSocketConstructor, only?: DeviceName) {
    this.#newSocket = newSocket
    this.#isForOne = only !== undefined
    this.#devices = (only ? [only] : remembered()).map(name => this.#newDevice(name))
  }

  get all(): readonly Device[] {
    return this.#devices
  }

  /** Shows a device: the existing one, if it is already shown. */
  add(name: DeviceName): Device {
    const held = this.#devices.find(device => isSameDevice(device.name, name))
    if (held) return held
    const device = this.#newDevice(name)
    this.#become([...this.#devices, device])
    return device
  }

  /** Stops showing a device. Its database stays, and is used again when the device is shown again. */
  async remove(device: Device): Promise<void> {
    this.#become(this.#devices.filter(one => one !== device))
    await device.close()
  }

  /** The devices of the story are not stored: a reload shows those from before it. */
  setForStory(isOn: boolean): void {
    this.#isForStory = isOn
    this.#become(this.#devices)
  }

  async removeAll(): Promise<void> {
    const devices = this.#devices
    this.#become([])
    await Promise.all(devices.map(device => device.close()))
  }

  #newDevice(name: DeviceName): Device {
    const siblings = (): Device[] => this.#devices.filter(device => device.name.user === name.user)
    return new Device(name, siblings, this.#newSocket(name))
  }

  #become(devices: readonly Device[]): void {
    this.#devices = devices
    if (!this.#isForOne && !this.#isForStory) remember(devices.map(({ name }) => name))
    this.changes.emit()
  }
}

function remembered(): DeviceName[] {
  try {
    const names: unknown = JSON.parse(localStorage.getItem(storageKey) ?? '[]')
    const valid = Array.isArray(names) ? names.filter(isDeviceName) : []
    return valid
      .filter((name, index) => valid.findIndex(one => isSameDevice(one, name)) === index)
      .map(({ user, device }) => ({ user, device }))
  } catch {
    return [] // Storage is refused, or contains something else.
  }
}

function remember(names: readonly DeviceName[]): void {
  try {
    localStorage.setItem(storageKey, JSON.stringify(names))
  } catch {
    // Without storage, the page forgets which devices it showed, and works nevertheless.
  }
}
