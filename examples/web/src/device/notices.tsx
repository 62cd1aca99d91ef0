import type { ReactNode } from 'react'
import { Button } from 'react-aria-components'
import type { Device, Notice } from '../devices/device.ts'
import { personName } from '../devices/name.ts'
import { TheirWords } from './their-words.tsx'
import { useChanges } from './use-changes.ts'

/** More would cover what they speak of. */
const mostShown = 3

/** What just happened to this device, over its lower edge: nothing moves for it. */
export function Notices({ device }: { device: Device }): ReactNode {
  const notices = useChanges(device.changes, () => device.notices)
  return (
    <div className="notices" role="log" aria-label={`News on ${device.title}`}>
      {notices.slice(-mostShown).map(notice => (
        <div key={notice.id} className="notice" data-kind={notice.kind}>
          <p>{noticeWords(notice)}</p>
          <Button className="icon-button" aria-label="Dismiss" onPress={() => device.dismiss(notice)}>
            <span aria-hidden="true">×</span>
          </Button>
        </div>
      ))}
    </div>
  )
}

function noticeWords({ kind, person, text }: Notice): ReactNode {
  const who = (
    <strong>
      <TheirWords>{person === undefined ? '' : personName(person)}</TheirWords>
    </strong>
  )
  const words = <TheirWords>{text}</TheirWords>
  switch (kind) {
    case 'joined':
    case 'withdrawn':
    case 'changedHands':
      return (
        <>
          {who} {words}
        </>
      )
    case 'message':
      return (
        <>
          {who}: {words}
        </>
      )
    case 'error':
      return words
  }
}
