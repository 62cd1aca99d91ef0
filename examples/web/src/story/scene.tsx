import { type Kith, KithError } from '@kith/client'
import { type ReactNode, useEffect, useState } from 'react'
import { circleNames } from '../circles.ts'
import { t } from '../texts/texts.ts'
import type { Cast, Scene as Place } from './cast.ts'
import type { Claim } from './steps.ts'

export interface SceneProps {
  cast: Cast | undefined
  claims: readonly Claim[]
  /** The claims that were found to be true, in order. */
  seen: readonly Claim[]
}

const places: readonly Place[] = ['phone', 'laptop', 'server', 'bob']

/** The devices and the server side by side: the state of each, what changed on it, and the traffic on its line. */
export function Scene({ cast, claims, seen }: SceneProps): ReactNode {
  const said = useSaid(cast)
  const now = seen.at(-1)
  return (
    <ul className="scene" aria-label={t.story.scene}>
      {places.map(place => {
        const line = now?.at === place ? now.line : undefined
        return (
          <li key={place} data-place={place} data-now={now?.at === place}>
            <p className="scene-name">
              {nameOf(place)}
              {said?.[place].isOffline && (
                <span className="quiet">
                  <span aria-hidden="true"> · </span>
                  {t.story.offline}
                </span>
              )}
            </p>
            <p
              className="scene-line"
              data-line={said?.[place].isOffline ? 'cut' : (line ?? 'idle')}
              aria-hidden="true"
            />
            <p className="scene-said">{said?.[place].text}</p>
            <Claims claims={claims.filter(({ at }) => at === place)} seen={seen} />
          </li>
        )
      })}
    </ul>
  )
}

/** A place without claims has no list. */
function Claims({ claims, seen }: { claims: readonly Claim[]; seen: readonly Claim[] }): ReactNode {
  if (claims.length === 0) return null
  return (
    <ul className="claims">
      {claims.map(claim => (
        <li key={claim.text} className="claim" data-told={seen.includes(claim)}>
          <span aria-hidden="true">{seen.includes(claim) ? '✓' : '·'}</span> {claim.text}
          {seen.includes(claim) && <span className="visually-hidden">{t.story.seen}</span>}
        </li>
      ))}
    </ul>
  )
}

function nameOf(place: Place): string {
  const { title } = t.device
  switch (place) {
    case 'phone':
      return title('Alice', t.story.phone)
    case 'laptop':
      return title('Alice', t.story.laptop)
    case 'server':
      return t.story.server
    case 'bob':
      return title('Bob', t.story.phone)
    case 'carol':
      return title('Carol', t.story.phone)
  }
}

type Said = Readonly<Record<Place, { text: string; isOffline: boolean }>>

const lookMs = 200

/** The current state of the devices, which are queried a few times a second. */
function useSaid(cast: Cast | undefined): Said | undefined {
  const [said, setSaid] = useState<Said>()
  useEffect(() => {
    if (!cast) return setSaid(undefined)
    const look = (): void => {
      const now = saidIfOpen(cast)
      if (now) setSaid(before => (JSON.stringify(before) === JSON.stringify(now) ? before : now))
    }
    look()
    const timer = setInterval(look, lookMs)
    return () => clearInterval(timer)
  }, [cast])
  return said
}

/** Returns `undefined` if one of the devices is closed: the story ends, or the user removed or erased the device. */
function saidIfOpen(cast: Cast): Said | undefined {
  try {
    return saidBy(cast)
  } catch (error) {
    if (error instanceof KithError && error.code === 'closed') return undefined
    throw error
  }
}

function saidBy({ phone, laptop, bobsPhone, alice, bob }: Cast): Said {
  const ofBob = (kith: Kith) => {
    const { accessLevels, isBlocked } = kith.getProfile(bob)
    const circles = accessLevels.length > 0 ? t.story.bobIn(circleNames(accessLevels)) : t.story.bobInNone
    return { text: isBlocked ? t.story.bobBlocked : circles, isOffline: kith.status === 'offline' }
  }
  const { fields } = bobsPhone.getProfile(alice)
  const number = fields['phone']
  const shown = Object.keys(fields).length > 0 ? t.story.noNumber : t.story.nothing
  return {
    phone: ofBob(phone),
    laptop: ofBob(laptop),
    server: { text: '', isOffline: false },
    bob: { text: typeof number === 'string' ? t.story.alicesNumber(number) : shown, isOffline: false },
    carol: { text: '', isOffline: false },
  }
}
