import type { DeviceMessage, Failure, Welcome } from '@kith/shared/wire'
import { isolated } from '../isolation.ts'
import { count, duration, few } from './phrases.ts'
import { closingReason, reasons } from './reasons.ts'
import { nameOf, type Who, type Words } from './told.ts'

type Hello = Extract<DeviceMessage, { type: 'hello' }>

export function openedWords(who: Who): Words {
  return { kind: 'session', text: `${who.device} is connected` }
}

export function closedWords(who: Who, code: number, reason: string): Words {
  const detail = [`Close code ${code}${reason === '' ? '' : `, ${isolated(reason)}`}`]
  return { kind: 'session', text: `${who.device} is no longer connected: ${closingReason(code)}`, detail }
}

export function helloWords(who: Who, { cursor, owners = [] }: Hello): Words {
  const read = cursor.length === 0 ? 'it has read nothing of others yet' : 'it goes on reading from its bookmark'
  const names = owners.map(owner => nameOf(who, owner))
  const looking = names.length > 0 ? `, and looks at ${few(names)}` : ''
  return { kind: 'session', text: `${who.device} says hello: ${read}${looking}` }
}

export function welcomeWords(who: Who, { isFresh, isErased, limits }: Welcome): Words {
  if (isErased) {
    const text = `The server tells ${who.device} that its account was erased: the device deletes all that it holds`
    return { kind: 'problem', text }
  }
  const follows = isFresh ? 'all that it may see comes anew' : 'only what changed since its bookmark comes'
  const detail = Object.entries(limits).map(([name, limit]) => `${name}: ${limit}`)
  return { kind: 'session', text: `The server welcomes ${who.device}: ${follows}`, detail }
}

/** The token itself is secret, and not shown. */
export function renewWords(who: Who): Words {
  return { kind: 'session', text: `${who.device} hands in a newer token` }
}

export function refusedWords(who: Who, document: 'roster' | 'profile', code: keyof typeof reasons): Words {
  return { kind: 'problem', text: `The server refused a change of the ${document} by ${who.device}: ${reasons[code]}` }
}

export function failureWords(who: Who, { code, retryAfterMs, count: number, addresses }: Failure): Words {
  const names = addresses.map(address => nameOf(who, address))
  const whom = `${count(number, 'user')}${names.length > 0 ? ` (${few(names)})` : ''}`
  const until = retryAfterMs > 0 ? `, for ${duration(retryAfterMs)}` : ''
  return { kind: 'problem', text: `What ${who.device} asked of ${whom} waits${until}: ${reasons[code]}` }
}
