import { isUserId } from '@kith/shared'
import type { MessageAccounts } from '../relations/changes.ts'
import { BusError } from './bus-error.ts'

/** The subscribers of a message. */
export type Topic = 'presence'

/** A direct message for the devices of `to` on the node that receives the request. */
export interface Letter {
  type: 'letter'
  from: string
  to: string
  /** The id that the sender's device chose. */
  id: string
  text: string
  /** The accounts for which the sending node checked it. Absent if that node does not name them yet. */
  accounts?: MessageAccounts | undefined
}

/** The answer to a letter: a device received it. */
interface Taken {
  type: 'taken'
}

/** These users came online or went offline on some node. */
interface Stir {
  type: 'stir'
  users: string[]
}

export type BusMessage = Letter | Taken | Stir

/** The bound for a device's id (`wire/send-message.ts`), in UTF-16 units. */
const maxIdLength = 64
/** Above every limit of a direct message. */
const maxTextLength = 4 * 1024 * 1024
/** The number of users in one stir. */
export const maxStirred = 500

/** Parses a message of another node. Throws {@link BusError} if this version of Kith does not send such a message. */
export function parseMessage(value: unknown): BusMessage {
  const message = membersOf(value, 'a message')
  const { type } = message
  switch (type) {
    case 'letter':
      return {
        type,
        from: parseUser(message['from'], 'from'),
        to: parseUser(message['to'], 'to'),
        id: parseText(message['id'], 'id', maxIdLength),
        text: parseText(message['text'], 'text', maxTextLength),
        ...(message['accounts'] !== undefined && { accounts: parseAccounts(message['accounts']) }),
      }
    case 'taken':
      return { type }
    case 'stir':
      return { type, users: parseUsers(message['users']) }
    default:
      throw new BusError(`a message of the unknown type ${JSON.stringify(type)?.slice(0, 40)}: upgrade this node`)
  }
}

/** Returns the members of a received object. */
export function membersOf(value: unknown, name: string): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>
  throw new BusError(`${name} that is no object`)
}

export function parseText(value: unknown, name: string, maxLength: number): string {
  if (typeof value !== 'string') throw new BusError(`${name} is no text`)
  if (value.length > maxLength) throw new BusError(`${name} has more than ${maxLength} characters`)
  return value
}

function parseUser(value: unknown, name: string): string {
  if (isUserId(value)) return value
  throw new BusError(`${name} is no user id`)
}

function parseAccounts(value: unknown): MessageAccounts {
  const { sender, recipient } = membersOf(value, 'accounts')
  if (Number.isSafeInteger(sender) && Number.isSafeInteger(recipient)) return { sender, recipient } as MessageAccounts
  throw new BusError('accounts are no positions')
}

function parseUsers(value: unknown): string[] {
  if (!Array.isArray(value)) throw new BusError('users is no list')
  if (value.length > maxStirred) throw new BusError(`users has more than ${maxStirred} entries`)
  return value.map(user => parseUser(user, 'one of the users'))
}
