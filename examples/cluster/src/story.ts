import { setTimeout } from 'node:timers/promises'
import type { Kith } from '@kith/client'
import type { LocalPostgres } from '@kith/local-postgres'
import type { Balancer } from './balancer.ts'
import { nextMessage, when } from './devices.ts'
import { act, tell } from './tell.ts'

export interface Cast {
  alice: Kith
  bob: Kith
  mallory: Kith
  primary: LocalPostgres
  standby: LocalPostgres
  balancer: Balancer
}

/** An edit, a message and a block across nodes; then a node is killed, and then the primary. */
export async function story(cast: Cast): Promise<void> {
  await editAcross(cast)
  await messageAcross(cast)
  await blockAcross(cast)
  await nodeKilled(cast)
  await primaryKilled(cast)
  await end(cast)
}

async function editAcross({ alice, bob, mallory }: Cast): Promise<void> {
  act('Alice sets her name.')
  const seen = Promise.all([shows(bob, alice, 'name', 'Alice'), shows(mallory, alice, 'name', 'Alice')])
  await alice.ownProfile.set('name', 'Alice')
  await alice.whenSynced()
  tell('The name is on the disks of the primary and of the standby.')
  await seen
}

async function messageAcross({ alice, bob }: Cast): Promise<void> {
  act('Bob sends Alice a message.')
  const received = nextMessage(alice).then(text => tell(`Alice's device got "${text}".`))
  const outcome = await bob.send('alice', 'Tea at four?')
  await received
  tell(`Bob's device knows that the message is ${outcome}.`)
}

async function blockAcross({ alice, mallory }: Cast): Promise<void> {
  act('Alice blocks Mallory.')
  const gone = when(mallory, 'Mallory shows nothing', () => !hasFields(mallory, 'alice')).then(() =>
    tell("Mallory's device has deleted what it had of Alice."),
  )
  const profile = alice.getProfile('mallory')
  profile.block(true)
  await profile.save()
  await alice.whenSynced()
  tell('The block is confirmed: from now on no node hands Mallory anything of Alice.')
  await gone
}

async function nodeKilled({ alice, bob, balancer }: Cast): Promise<void> {
  const node = balancer.nodeOf('bob')
  act(`Node ${node.number}, which Bob's device is on, is killed. Alice sets her status.`)
  const seen = shows(bob, alice, 'status', 'on the train')
  await node.kill()
  await alice.ownProfile.set('status', 'on the train')
  await seen
  await bob.whenSynced()
  tell(`Bob's device is on node ${balancer.nodeOf('bob').number}, and has everything that it may see.`)
  const answer = shows(alice, bob, 'name', 'Bob')
  await bob.ownProfile.set('name', 'Bob')
  await answer
}

async function primaryKilled({ alice, bob, primary, standby }: Cast): Promise<void> {
  act('The primary is killed. Alice sets her status again.')
  const seen = shows(bob, alice, 'status', 'in the tunnel')
  await primary.kill()
  await alice.ownProfile.set('status', 'in the tunnel')
  tell(`Alice's device keeps ${alice.unsent} change that no server has yet.`)
  await standby.promote()
  tell('The standby is the primary now.')
  await alice.whenSynced()
  tell('The status is on the disk of the new primary.')
  await seen
  const received = nextMessage(bob).then(text => tell(`Bob's device got "${text}".`))
  await sendUntilDelivered(alice, 'bob', 'Four it is.')
  await received
}

/**
 * Nodes communicate over the database. Therefore, for a moment after its loss, a message is undelivered. The app reports this,
 * and the user sends the message again.
 */
async function sendUntilDelivered(device: Kith, to: string, text: string): Promise<void> {
  for (let attempt = 1; attempt <= 20; attempt++) {
    const outcome = await device.send(to, text)
    tell(`${nameOf(device)}'s device knows that the message is ${outcome}.`)
    if (outcome === 'delivered') return
    await setTimeout(500)
  }
  throw new Error('no message is delivered any more')
}

async function end({ alice, bob, mallory }: Cast): Promise<void> {
  act('In the end:')
  for (const device of [alice, bob, mallory]) await device.whenSynced()
  console.log(`    Alice's device has ${alice.unsent} unsent changes, and shows of Bob ${fields(alice, 'bob')}.`)
  console.log(`    Bob's device shows of Alice ${fields(bob, 'alice')}.`)
  console.log(`    Mallory's device shows of Alice ${fields(mallory, 'alice')}.`)
}

async function shows(device: Kith, of: Kith, field: string, value: string): Promise<void> {
  const profile = device.getProfile(of.user)
  const text = `${nameOf(device)}'s device shows "${value}".`
  await when(device, text, () => profile.get(field) === value)
  tell(text)
}

function hasFields(device: Kith, user: string): boolean {
  return Object.keys(device.getProfile(user).fields).length > 0
}

function fields(device: Kith, user: string): string {
  return hasFields(device, user) ? JSON.stringify(device.getProfile(user).fields) : 'nothing'
}

function nameOf({ user }: Kith): string {
  return user.charAt(0).toUpperCase() + user.slice(1)
}
