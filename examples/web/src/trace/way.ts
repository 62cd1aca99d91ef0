import { circleName } from '../circles.ts'
import type { Device } from '../devices/device.ts'
import { databaseOf } from '../devices/name.ts'
import { t } from '../texts/texts.ts'
import type { Entry } from './entry.ts'

export interface WayStep {
  /** `other`: a branch, one for each other device. */
  place: 'device' | 'server' | 'other'
  text: string
  isDone: boolean
}

/** The path of one change: from the disk of its device over the server to each other device, or why it did not get there. */
export function wayOf(change: Entry, entries: readonly Entry[], devices: readonly Device[]): WayStep[] {
  const index = entries.indexOf(change)
  const later = entries.slice(index + 1)
  const own = databaseOf(change.name)
  const isStored = later.some(entry => entry.brief.is === 'stored' && databaseOf(entry.name) === own)
  const title = devices.find(({ key }) => key === own)?.title ?? change.name.device
  return [
    { place: 'device', text: t.trace.onDevice(title), isDone: true },
    { place: 'server', text: t.trace.atServer, isDone: isStored },
    { place: 'server', text: isStored ? t.trace.onServer : t.trace.onServerWaits, isDone: isStored },
    ...devices.filter(({ key }) => key !== own).flatMap(device => arrival(device, change, later, devices)),
  ]
}

function arrival(device: Device, change: Entry, later: readonly Entry[], devices: readonly Device[]): WayStep[] {
  const { facts = [], name } = change
  const there = later.filter(entry => databaseOf(entry.name) === device.key)
  const got: WayStep = { place: 'other', text: t.trace.got(device.title), isDone: true }
  const gotNot = (why: string): WayStep => ({
    ...{ place: 'other', text: t.trace.gotNot(device.title, why), isDone: false },
  })
  if (device.name.user === name.user) {
    return [there.some(({ brief }) => brief.is === 'copied') ? got : gotNot(t.trace.whyOffline)]
  }
  const levels = facts.flatMap(({ is, level }) => (is === 'field' && level !== undefined ? [level] : []))
  if (levels.length > 0) {
    const has = there.some(
      ({ brief }) => brief.is === 'received' && brief.person === name.user && levels.includes(brief.level),
    )
    return [has ? got : gotNot(whyNot(device, levels, ownKith(devices, name.user)))]
  }
  if (!facts.some(({ person }) => person === device.name.user)) return []
  const knows = there.some(({ brief }) => brief.is === 'checked' && brief.person === name.user)
  return [knows ? got : gotNot(device.isSwitchedOn ? t.trace.whyUnknown : t.trace.whyOffline)]
}

function ownKith(devices: readonly Device[], user: string): Device['kith'] {
  return devices.find(({ name, kith }) => name.user === user && kith)?.kith
}

/** The reason, according to the owner's own rules; a viewer who may see it is offline, or does not follow. */
function whyNot(device: Device, levels: readonly number[], kith: Device['kith']): string {
  const view = kith?.viewAs(device.name.user)
  if (view?.reason === 'blocked') return t.trace.whyBlocked
  const hidden = levels.find(level => !view?.levels.includes(level))
  if (view && hidden !== undefined) return t.trace.whyNot(circleName(hidden))
  return device.isSwitchedOn ? t.trace.whyUnknown : t.trace.whyOffline
}
