import { type Contact, type Fields, type Kith, KithError } from '@kith/client'
import { type Fact, profileFacts } from './facts.ts'

/** The content of a device's own documents, as the API returns it. */
export interface OwnState {
  profile: ReadonlyMap<number, Fields>
  people: ReadonlyMap<string, Contact>
}

/** Resolves to `undefined` when the client is closed, as after an erasure; its window reports that. */
export async function readOwnState(kith: Kith): Promise<OwnState | undefined> {
  try {
    return await read(kith)
  } catch (error) {
    if (error instanceof KithError) return undefined
    throw error
  }
}

async function read(kith: Kith): Promise<OwnState> {
  const profile = kith.ownProfile.fields
  const contacts = await new Promise<readonly Contact[]>((resolve, reject) => {
    const subscription = kith.contacts().subscribe({
      next: all => {
        resolve(all)
        queueMicrotask(() => subscription.unsubscribe())
      },
      error: reject,
    })
  })
  return { profile, people: new Map(contacts.map(contact => [contact.id, contact])) }
}

/** The differences between two states. */
export function factsBetween(before: OwnState, after: OwnState): Fact[] {
  const ids = new Set([...before.people.keys(), ...after.people.keys()])
  const changed = [...ids].filter(id => before.people.get(id) !== after.people.get(id))
  return [
    ...profileFacts(before.profile, after.profile),
    ...changed.flatMap(id => personFacts(id, before.people.get(id), after.people.get(id))),
  ]
}

function personFacts(person: string, before: Contact | undefined, after: Contact | undefined): Fact[] {
  const facts: Fact[] = []
  const note = (is: Fact['is'], had: boolean, has: boolean): void => {
    if (had !== has) facts.push({ is, person, isGone: had })
  }
  note('contact', before?.isContact ?? false, after?.isContact ?? false)
  note('block', before?.isBlocked ?? false, after?.isBlocked ?? false)
  note('follow', before?.isSubscribed ?? false, after?.isSubscribed ?? false)
  const [had, has] = [before?.levels ?? [], after?.levels ?? []]
  for (const level of had) if (!has.includes(level)) facts.push({ is: 'circle', person, level, isGone: true })
  for (const level of has) if (!had.includes(level)) facts.push({ is: 'circle', person, level, isGone: false })
  if (before?.label !== after?.label) facts.push({ is: 'label', person, isGone: after?.label === undefined })
  return facts
}
