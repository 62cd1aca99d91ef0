import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ContactSynchronizer, type Kith, type KithOptions, openKith, type Profile } from '@kith/client'
import { IDBFactory, IDBKeyRange } from 'fake-indexeddb'
import { WebSocket } from 'ws'
import { readPhoneBook } from './phone-book.ts'
import { type ServerProcess, startServerProcess } from './server-process.ts'

/**
 * Alice has a phone and a laptop. Both go offline and edit her contacts. When they are online again, each person sees the
 * result of both edits.
 */
const alice = '+441632960001'
const bob = '+12125550111'
const carol = '+447700900145'
const mallory = '+447700900344'
const late = '+16465550153'

async function main(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'kith-two-devices-'))
  const server = await startServerProcess(folder)
  const devices: Kith[] = []
  const open = async (user: string): Promise<Kith> => {
    const device = await openDevice(server, user)
    devices.push(device)
    return device
  }
  try {
    await story(open)
  } finally {
    await Promise.all(devices.map(device => device.close()))
    await server.stop()
    await rm(folder, { recursive: true })
  }
}

async function story(open: (user: string) => Promise<Kith>): Promise<void> {
  const phone = await open(alice)
  const laptop = await open(alice)
  const contacts = { Bob: await open(bob), Carol: await open(carol), Mallory: await open(mallory) }

  say('Alice publishes her name for everyone, a status for level 1 and her address for level 5.')
  await phone.ownProfile.set('name', 'Alice')
  await phone.ownProfile.set('status', 'on the train', { level: 1 })
  await phone.ownProfile.set('address', '12 Analytical Row', { level: 5 })
  for (const contact of Object.values(contacts)) contact.getProfile(alice)
  await settle(phone, laptop, ...Object.values(contacts))
  show('Before', { phone, laptop }, contacts)

  say('Both devices go offline.')
  phone.disconnect()
  laptop.disconnect()

  const book = readPhoneBook()
  const everyone = new ContactSynchronizer(phone, { phoneNumbers: true })
  everyone.subscribe(true)
  everyone.setProfileAccessLevels([1])
  const result = await everyone.sync(book)
  say(`The phone syncs its phone book (${book.length} entries, level 1, followed):`)
  console.log(`    ${result.added} added, ${result.unchanged} unchanged, ${countReasons(result.invalid)}`)

  const few = new ContactSynchronizer(laptop)
  few.setProfileAccessLevels([5])
  await few.syncAsUpdate([bob, carol])
  const bad = laptop.getProfile(mallory)
  bad.block(true)
  await bad.save()
  say('The laptop gives Bob and Carol level 5 with syncAsUpdate, and blocks Mallory.')
  console.log(`    unsent changes: phone ${phone.unsent}, laptop ${laptop.unsent}`)

  say('They come back.')
  phone.connect()
  laptop.connect()
  await settle(phone, laptop)
  await settle(phone, laptop, ...Object.values(contacts))
  show('After', { phone, laptop }, contacts)

  say('Alice moves. Those who may see it hear of it at once:')
  const heard = Promise.all([next(contacts.Bob), next(contacts.Carol)])
  await laptop.ownProfile.set('address', '5 Difference Lane', { level: 5 })
  for (const [name, profile] of zip(['Bob', 'Carol'], await heard)) {
    console.log(`    ${name}: address is now ${JSON.stringify(profile.get('address'))}`)
  }

  say('Somebody in the phone book signs up:')
  const joined = new Promise<Profile>(resolve => phone.on('joined', resolve))
  const newcomer = await open(late)
  await newcomer.ownProfile.set('name', 'Latecomer')
  await newcomer.whenSynced()
  const profile = await joined
  await phone.whenSynced()
  console.log(`    the phone is told: ${profile.id} has joined, and shows ${JSON.stringify(profile.fields)}`)
}

async function openDevice(server: ServerProcess, user: string): Promise<Kith> {
  return openKith({
    url: server.url.replace(/^http/, 'ws'),
    user,
    token: () => server.token(user),
    indexedDB: new IDBFactory(), // In a browser these three are there by themselves.
    IDBKeyRange,
    WebSocket: WebSocket as unknown as NonNullable<KithOptions['WebSocket']>,
  })
}

/** Waits until everything is on the server's disk, and on these devices. */
async function settle(...devices: Kith[]): Promise<void> {
  for (const device of devices) await device.whenSynced()
  for (const device of devices) await device.whenSynced()
}

function show(title: string, devices: Record<string, Kith>, contacts: Record<string, Kith>): void {
  console.log(`\n  ${title}, on Alice's devices:`)
  for (const [name, device] of Object.entries(devices)) {
    const facts = Object.entries(contacts).map(([contact, { user }]) => {
      const profile = device.getProfile(user)
      return `${contact}: levels [${profile.accessLevels.join(', ')}]${profile.isBlocked ? ', blocked' : ''}`
    })
    console.log(`    ${name.padEnd(8)} ${facts.join('; ')}`)
  }
  console.log(`  ${title}, what each sees of Alice:`)
  for (const [name, device] of Object.entries(contacts)) {
    const fields = JSON.stringify(device.getProfile(alice).fields)
    console.log(`    ${name.padEnd(8)} ${fields === '{}' ? 'nothing' : fields}`)
  }
}

function next(device: Kith): Promise<Profile> {
  return new Promise(resolve => {
    const stop = device.on('profile', profile => {
      if (profile.id !== alice) return
      stop()
      resolve(profile)
    })
  })
}

function countReasons(invalid: readonly { reason: string }[]): string {
  const counts = new Map<string, number>()
  for (const { reason } of invalid) counts.set(reason, (counts.get(reason) ?? 0) + 1)
  return [...counts].map(([reason, count]) => `${count} ${reason}`).join(', ') || 'none invalid'
}

function zip<A, B>(a: readonly A[], b: readonly B[]): [A, B][] {
  return a.map((one, index) => [one, b[index] as B])
}

function say(text: string): void {
  console.log(`\n${text}`)
}

await main()
