import {
  applyChanges,
  type ContactEdit,
  type Fields,
  type FieldValue,
  flatMapsOf,
  type KeyChange,
  planAudience,
  planConfirmation,
  planContact,
  planField,
  planMessageAudience,
  planPresence,
} from '@kith/shared'
import {
  type DeviceMessage,
  decodeFrame,
  encodeFrame,
  fieldsDigest,
  type ServerMessage,
  versionedSubprotocol,
} from '@kith/shared/wire'
import { WebSocket } from 'ws'
import * as Y from 'yjs'

type Of<T extends ServerMessage['type']> = Extract<ServerMessage, { type: T }>

const fromServer = Symbol('from the server')
let nonces = 0

/** Returns a nonce that no other device of the run creates. */
export function newNonce(): string {
  nonces++
  return `n${String(nonces).padStart(11, '0')}`
}

/**
 * A device on the bare wire: two documents, the replicas built from its feed, and every byte that it ever received. It does
 * what the protocol requires of a device, and nothing else.
 */
export class Device {
  readonly user: string
  readonly roster = new Y.Doc({ gc: true })
  readonly profile = new Y.Doc({ gc: true })
  /** Owner → level → fields. */
  replicas = new Map<string, Map<number, Fields>>()
  /** Owner → the last access frame. */
  access = new Map<string, Of<'access'>>()
  cursor: Uint8Array = new Uint8Array()
  /** The incarnation of the account that it synced with; empty before the first sync. */
  incarnation: Uint8Array = new Uint8Array()
  /** The wire version that it announces; 1 as a device of 0.1.0. */
  wire = 1
  /** Whether it answers the server's sync step 1s, with everything that it has. */
  answersSteps = true
  /** Whether it acknowledges messages. */
  takesMessages = true
  /** All frames of all connections, in order. */
  readonly frames: ServerMessage[] = []
  readonly bytes: Uint8Array[] = []
  #url: string
  #token: () => Promise<string>
  #socket: WebSocket | undefined
  #closed: { code: number; reason: string } | undefined
  #waiters = new Set<() => void>()
  #writer = newNonce()
  #barriers = 0
  #isHelloSaid = false
  /** The levels that have arrived since a fresh start. */
  #fresh: Set<string> | undefined

  constructor(user: string, url: string, token: () => Promise<string>) {
    this.user = user
    this.#url = url.replace('http', 'ws')
    this.#token = token
    this.roster.on('update', (update, origin) => this.#onEdit('rosterSync', update, origin))
    this.profile.on('update', (update, origin) => this.#onEdit('ownProfile', update, origin))
  }

  get isConnected(): boolean {
    return this.#socket?.readyState === WebSocket.OPEN && !this.#closed
  }

  get socket(): WebSocket {
    if (!this.#socket) throw new Error('not connected')
    return this.#socket
  }

  /** Opens the socket, with `offer` instead of the usual subprotocols. Resolves when the upgrade is complete. */
  async dial({ offer, path }: { offer?: string[]; path?: string } = {}): Promise<void> {
    const versioned = this.wire > 1 ? [versionedSubprotocol] : []
    const protocols = offer ?? ['kith.v1', `bearer.${await this.#token()}`, ...versioned]
    const socket = new WebSocket(this.#url + (path ?? `/v1/roster/${encodeURIComponent(this.user)}`), protocols)
    this.#socket = socket
    this.#closed = undefined
    this.#isHelloSaid = false
    socket.on('message', data => this.#receive(new Uint8Array(data as Buffer)))
    socket.on('close', (code, reason) => {
      if (this.#socket !== socket) return
      this.#closed = { code, reason: reason.toString() }
      this.#wake()
    })
    await new Promise<void>((resolve, reject) => {
      socket.on('open', () => resolve())
      socket.on('error', reject)
    })
  }

  /** Connects, and syncs the roster both ways. */
  async connect(): Promise<void> {
    const from = this.frames.length
    await this.dial()
    this.send({ type: 'rosterSync', step: 'step1', payload: Y.encodeStateVector(this.roster) })
    await this.until('the first sync', () => {
      const steps = this.frames.slice(from).filter(isRosterSync)
      return steps.some(({ step }) => step === 'step1') && steps.some(({ step }) => step === 'step2')
    })
  }

  /** Announces that it speaks Kith's messages. Resolves when it is caught up. */
  async hello(cursor: Uint8Array = this.cursor): Promise<{ isFresh: boolean }> {
    const welcome = this.next('welcome')
    const asked = this.next('ownProfile', ({ step }) => step === 'step1')
    const caughtUp = this.next('caughtUp')
    this.#isHelloSaid = true
    const { incarnation, wire: version } = this
    this.send({ type: 'hello', version, cursor, ...(incarnation.length > 0 && { incarnation }) })
    this.send({ type: 'ownProfile', step: 'step1', payload: Y.encodeStateVector(this.profile) })
    const { isFresh } = await welcome
    await asked
    await caughtUp
    return { isFresh }
  }

  /** Connects, says hello, and waits until its offline changes are on disk. */
  async signIn(): Promise<void> {
    await this.connect()
    await this.hello()
    await this.barrier()
  }

  edit(user: string, edit: ContactEdit): void {
    this.change(planContact(flatMapsOf(this.roster), user, edit, newNonce))
  }

  /** Confirms the new holder of a user id, with the data of the last access frame. */
  confirm(owner: string): void {
    const incarnation = this.access.get(owner)?.changedHands ?? ''
    this.change(planConfirmation(flatMapsOf(this.roster), owner, incarnation))
  }

  setAudience(audience: 'everyone' | 'contacts' | 'nobody'): void {
    this.change(planAudience(flatMapsOf(this.roster), audience, newNonce))
  }

  setMessageAudience(audience: 'everyone' | 'contacts' | 'nobody'): void {
    this.change(planMessageAudience(flatMapsOf(this.roster), audience, newNonce))
  }

  hidePresence(isHidden: boolean): void {
    this.change(planPresence(flatMapsOf(this.roster), isHidden, newNonce))
  }

  change(changes: readonly KeyChange[]): void {
    applyChanges(this.roster, changes)
  }

  setField(name: string, value: FieldValue | undefined, level = 0): void {
    applyChanges(this.profile, planField(flatMapsOf(this.profile), this.#writer, level, name, value))
  }

  /** Resolves to whether everything sent since the last barrier is on disk. */
  async barrier({ withFeed = true } = {}): Promise<boolean> {
    this.#barriers++
    const id = this.#barriers
    const reached = this.next('reached', message => message.id === id)
    this.send({ type: 'barrier', id, withFeed })
    return (await reached).isComplete
  }

  /** Fetches an owner's profile. Resolves to the response. */
  async fetch(owner: string): Promise<Of<'access'> | Of<'failure'>> {
    const answer = this.nextOf(
      message =>
        (message.type === 'access' && message.owner === owner) ||
        (message.type === 'failure' && message.addresses.includes(owner)),
    )
    this.send({ type: 'fetch', owner })
    return (await answer) as Of<'access'> | Of<'failure'>
  }

  /** Sends a direct message. Resolves to its outcome. */
  async sendMessage(to: string, text: string, id: string = newNonce()): Promise<Of<'outcome'>['state']> {
    const outcome = this.next('outcome', message => message.id === id)
    this.send({ type: 'sendMessage', id, to, text })
    return (await outcome).state
  }

  send(message: DeviceMessage): void {
    this.sendBytes(encodeFrame(message))
  }

  sendBytes(bytes: Uint8Array | string): void {
    this.socket.send(bytes)
  }

  /** Closes the connection properly. Resolves when the other side has answered. */
  async close(): Promise<void> {
    if (!this.#socket || this.#closed) return
    this.#socket.close(1000)
    await this.closed()
  }

  /** Breaks the connection. */
  drop(): void {
    this.#socket?.terminate()
  }

  /** Resolves to the code with which the connection ended, when it has ended. */
  async closed(): Promise<{ code: number; reason: string }> {
    await this.#when(() => this.#closed !== undefined)
    return this.#closed as { code: number; reason: string }
  }

  /** Resolves to the next frame of a type, from now on. */
  async next<T extends ServerMessage['type']>(type: T, is: (message: Of<T>) => boolean = () => true): Promise<Of<T>> {
    return (await this.nextOf(message => message.type === type && is(message as Of<T>))) as Of<T>
  }

  async nextOf(is: (message: ServerMessage) => boolean): Promise<ServerMessage> {
    const from = this.frames.length
    let found: ServerMessage | undefined
    await this.until('a frame', () => {
      found = this.frames.slice(from).find(is)
      return found !== undefined
    })
    return found as ServerMessage
  }

  /** Resolves when the condition holds. Rejects if the connection ends first. */
  async until(what: string, isSo: () => boolean): Promise<void> {
    await this.#when(() => isSo() || this.#closed !== undefined)
    if (!isSo()) throw new Error(`closed with ${this.#closed?.code} ${this.#closed?.reason} while waiting for ${what}`)
  }

  /** Returns all fields of an owner that it holds. The value of the highest level counts. */
  sees(owner: string): Fields {
    const levels = [...(this.replicas.get(owner) ?? [])].sort(([a], [b]) => a - b)
    return Object.assign({}, ...levels.map(([, fields]) => fields))
  }

  /** Returns whether any byte that it ever received contains this text. */
  received(text: string): boolean {
    return this.bytes.some(frame => Buffer.from(frame).includes(text))
  }

  /** Returns the frames of a type, of all connections. */
  all<T extends ServerMessage['type']>(type: T): Of<T>[] {
    return this.frames.filter((message): message is Of<T> => message.type === type)
  }

  #onEdit(type: 'rosterSync' | 'ownProfile', payload: Uint8Array, origin: unknown): void {
    if (origin === fromServer || !this.isConnected) return
    if (type === 'rosterSync' || this.#isHelloSaid) this.send({ type, step: 'update', payload })
  }

  #receive(bytes: Uint8Array): void {
    this.bytes.push(bytes)
    const message = decodeFrame(bytes)
    if (message.type === 'malformed') throw new Error(`the server sent a malformed frame: ${message.what}`)
    this.#take(message as ServerMessage)
    this.frames.push(message as ServerMessage)
    this.#wake()
  }

  #take(message: ServerMessage): void {
    if ('cursor' in message && message.cursor.length > 0) this.cursor = message.cursor
    switch (message.type) {
      case 'rosterSync':
        return this.#sync(this.roster, message)
      case 'ownProfile':
        return this.#sync(this.profile, message)
      case 'welcome':
        this.#fresh = message.isFresh ? new Set() : undefined
        if (!message.isErased) this.incarnation = message.incarnation
        return
      case 'access':
        this.access.set(message.owner, message)
        for (const level of this.replicas.get(message.owner)?.keys() ?? []) {
          if (!message.levels.includes(level)) this.replicas.get(message.owner)?.delete(level)
        }
        return
      case 'profile': {
        const levels = this.replicas.get(message.owner) ?? new Map<number, Fields>()
        this.replicas.set(message.owner, levels.set(message.level, message.fields))
        this.#fresh?.add(`${message.level}/${message.owner}`)
        return
      }
      case 'difference': {
        const levels = this.replicas.get(message.owner) as Map<number, Fields>
        const fields = { ...levels.get(message.level), ...message.fields }
        for (const name of message.removed) delete fields[name]
        if (!Buffer.from(fieldsDigest(fields)).equals(message.digest)) throw new Error('a difference to another state')
        levels.set(message.level, fields)
        return
      }
      case 'caughtUp':
        for (const [owner, levels] of this.#fresh ? this.replicas : []) {
          for (const level of levels.keys()) if (!this.#fresh?.has(`${level}/${owner}`)) levels.delete(level)
        }
        this.#fresh = undefined
        return
      case 'message':
        if (this.takesMessages) this.send({ type: 'received', id: message.id, from: message.from })
    }
  }

  #sync(doc: Y.Doc, { type, step, payload }: Of<'rosterSync'> | Of<'ownProfile'>): void {
    if (step !== 'step1') Y.applyUpdate(doc, payload, fromServer)
    else if (this.answersSteps) this.send({ type, step: 'step2', payload: Y.encodeStateAsUpdate(doc, payload) })
  }

  #wake(): void {
    for (const waiter of [...this.#waiters]) waiter()
  }

  #when(isSo: () => boolean): Promise<void> {
    if (isSo()) return Promise.resolve()
    return new Promise(resolve => {
      const waiter = (): void => {
        if (!isSo()) return
        this.#waiters.delete(waiter)
        resolve()
      }
      this.#waiters.add(waiter)
    })
  }
}

function isRosterSync(message: ServerMessage): message is Of<'rosterSync'> {
  return message.type === 'rosterSync'
}
