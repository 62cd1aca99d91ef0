import type { Kith } from '@kith/client'
import type { Devices } from '../devices/devices.ts'
import { t } from '../texts/texts.ts'
import { openPhone, phoneOf } from './move-in.ts'
import { type Citizen, citizens, isCitizen } from './people.ts'

/** The citizens whose phones are on, and who answer messages. */
const atHome = ['carmen', 'dev', 'hedy', 'layla', 'zoe']
/** The time that a person takes to type a few words. */
const answerMs = 1500

/** Keeps the phones of some citizens on while a device of the town is on this page. One window does this for all. */
export class Neighbours {
  readonly #devices: Devices
  #phones: Promise<Kith>[] | undefined
  #isChosen = false

  constructor(devices: Devices) {
    this.#devices = devices
    devices.changes.subscribe(() => this.#look())
    void navigator.locks?.request('kith-demo:neighbours', () => {
      this.#isChosen = true
      this.#look()
      return new Promise<void>(() => undefined) // Until this window closes.
    })
  }

  #look(): void {
    const isWanted = this.#isChosen && this.#devices.all.some(({ name }) => isCitizen(name.user))
    if (isWanted) this.#phones ??= citizens.filter(citizen => this.#isFree(citizen)).map(open)
    else if (this.#phones) {
      for (const phone of this.#phones.splice(0)) void phone.then(kith => kith.close())
      this.#phones = undefined
    }
  }

  /** Returns `false` also for a phone that this page shows, since the page's user operates it. */
  #isFree(citizen: Citizen): boolean {
    const { user } = phoneOf(citizen)
    return atHome.includes(citizen.id) && !this.#devices.all.some(({ name }) => name.user === user)
  }
}

async function open(citizen: Citizen): Promise<Kith> {
  const kith = await openPhone(citizen)
  kith.on('message', ({ from }) => {
    setTimeout(() => void kith.send(from, t.town.answer).catch(() => undefined), answerMs)
  })
  return kith
}
