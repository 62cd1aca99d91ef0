import type { Contact, Kith } from '@kith/client'
import { type Fields, mergeLevels } from '@kith/shared'
import type { Api } from './backend.ts'
import type { Device } from './device.ts'
import { addFields, audienceKey, contactKey, users } from './keys.ts'
import { differences, type State } from './ledger.ts'

/**
 * Returns the disagreements after all devices have settled, in words; empty if there are none. A user's devices must have the
 * same data, the server must have the data of the devices, and each viewer must see exactly what the server's one rule allows.
 */
export async function disagreements(server: Api, devices: readonly Device[]): Promise<string[]> {
  const wrong: string[] = []
  for (const user of users) {
    const own = devices.filter(device => device.user === user)
    const [first, ...others] = await Promise.all(own.map(stateOn))
    for (const other of others) {
      const difference = differences(first as State, other)
      if (difference !== '') wrong.push(`devices of ${user} differ: ${difference}`)
    }
  }
  for (const owner of users) {
    const fields = (devices.find(device => device.user === owner) as Device).kith.ownProfile.fields
    for (const viewer of users) {
      if (viewer === owner) continue
      const answer = await server.admin('GET', `/v1/visibility?owner=${owner}&viewer=${viewer}`)
      const { levels } = (await answer.json()) as { levels: number[] }
      const visible = mergeLevels(new Map([...fields].filter(([level]) => levels.includes(level))))
      for (const device of devices.filter(({ user }) => user === viewer)) {
        wrong.push(...(await wrongView(device, owner, visible, levels)))
      }
    }
  }
  return wrong
}

/** Returns all data that this device has of its user. Its data of other users is compared with what it may see. */
async function stateOn({ kith }: Device): Promise<State> {
  const state = new Map<string, string>([[audienceKey, kith.publicAudience]])
  addFields(state, kith.ownProfile.fields)
  for (const { id, label, levels, isContact, isSubscribed, isBlocked } of await contactsOf(kith)) {
    state.set(contactKey(id), JSON.stringify({ label, levels, isContact, isSubscribed, isBlocked }))
  }
  return state
}

function contactsOf(kith: Kith): Promise<Contact[]> {
  return new Promise((resolve, reject) => {
    const subscription = kith.contacts().subscribe(rows => {
      resolve(rows)
      queueMicrotask(() => subscription.unsubscribe())
    }, reject)
  })
}

async function wrongView(device: Device, owner: string, visible: Fields, levels: readonly number[]): Promise<string[]> {
  const profile = await device.profile(owner)
  const seen = JSON.stringify(Object.entries(profile.fields).sort())
  const wanted = JSON.stringify(Object.entries(visible).sort())
  if (profile.isSubscribed && seen !== wanted) {
    return [`${device.ledger.writer} follows ${owner}, sees ${seen}, and should see ${wanted}`]
  }
  if (levels.length === 0 && seen !== '[]')
    return [`${device.ledger.writer} may see nothing of ${owner}, and sees ${seen}`]
  return []
}
