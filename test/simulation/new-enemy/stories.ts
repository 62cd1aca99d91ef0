import { serverWorld, settle } from '../../support/server-world.ts'
import { type Cause, causes } from './causes.ts'
import { Gates } from './gates.ts'
import { app, bareDevice } from './owner-device.ts'
import { type Owner, owners } from './owners.ts'
import { secret, type Town } from './town.ts'
import { type Viewer, viewers } from './viewers.ts'

/**
 * The "new enemy" (Zanzibar, USENIX ATC 2019, 2.1): Alice shuts Bob out, and then writes what he must not see. If the edit
 * overtakes the order to shut him out, he sees it. Carol keeps her access, and proves that the secret is visible otherwise.
 */
export interface Story {
  name: string
  /** Returns what the sockets of both viewers carried. */
  tell(): Promise<Seen>
}

interface Seen {
  bobSawTheSecret: boolean
  carolSawTheSecret: boolean
  /** Whether Bob's device still holds the field that was there before. */
  bobKeptTheOld: boolean
}

/** All pairs of cause, owner and viewer are combined; with a revocation, nearly all triples. */
export const stories: readonly Story[] = causes.flatMap(cause =>
  owners
    .filter(({ by }) => by === cause.by)
    .flatMap(owner =>
      viewers.filter(viewer => isTold(cause, owner, viewer)).map(viewer => story(cause, owner, viewer)),
    ),
)

function isTold(cause: Cause, owner: Owner, viewer: Viewer): boolean {
  if (viewer.isBetween && !owner.isInTwoSteps) return false
  const isFirst = (cause === causes[0] && !viewer.isLong) || viewer === viewers[0]
  return isFirst || owner.isTypical === true
}

function story(cause: Cause, owner: Owner, viewer: Viewer): Story {
  return {
    name: `after ${cause.name}, an edit ${owner.name}: a viewer who ${viewer.name}`,
    tell: () => tell(cause, owner, viewer),
  }
}

const roomy = 32 * 1024 * 1024
const limits = { rosterBytes: roomy, profileBytes: roomy, frameBytes: roomy }

async function tell(cause: Cause, owner: Owner, viewer: Viewer): Promise<Seen> {
  const world = await serverWorld({ endsWithTest: false, limits })
  const ends = [world.end]
  try {
    const [bob, carol] = await world.devices('bob', 'carol')
    const wire = owner.isApp ? undefined : world.device('alice')
    const phone = wire ? bareDevice(wire) : await app(world, 'alice')
    ends.unshift(phone.end)
    await phone.come()
    const gates = new Gates(world.disk.database)
    const town: Town = { world, gates, phone, wire, bob, carol, level: cause.level }
    for (const each of viewer.isStranger ? [carol] : [bob, carol]) each.edit('alice', { isSubscribed: true })
    await settle(bob, carol)
    await cause.prepare(town)
    await phone.setField('place', 'Paris', cause.level)
    await phone.settle()
    if (viewer.isStranger) await bob.fetch('alice')
    await settle(bob, carol)
    if (bob.sees('alice')['place'] !== 'Paris') throw new Error('the viewer does not see what it may')
    await viewer.prepare?.(town)
    await viewer.meet(town, await owner.acts(town, cause))
    await settle(bob, carol)
    return {
      bobSawTheSecret: bob.received(secret),
      carolSawTheSecret: carol.received(secret),
      bobKeptTheOld: 'place' in bob.sees('alice'),
    }
  } finally {
    for (const end of ends) await end()
  }
}
