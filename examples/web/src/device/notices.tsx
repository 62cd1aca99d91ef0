import { useContacts } from '@kith/client/react'
import type { ReactNode } from 'react'
import { Button } from 'react-aria-components'
import type { Device, Notice } from '../devices/device.ts'
import { personName } from '../devices/name.ts'
import { t } from '../texts/texts.ts'
import { nameOf } from './contact-names.ts'
import { Icon } from './icon.tsx'
import { TheirWords } from './their-words.tsx'
import { useChanges } from './use-changes.ts'

/** The newest notices of this device, between the screen and the tabs, where they cover nothing. */
export function Notices({ device }: { device: Device }): ReactNode {
  const notices = useChanges(device.changes, () => device.notices)
  const notice = notices.at(-1)
  return (
    <div className="notices" role="log" aria-label={t.device.news(device.title)}>
      {notice && (
        <div key={notice.id} className="notice" data-kind={notice.kind}>
          <p>
            <NoticeWords notice={notice} />
          </p>
          {notices.length > 1 && <span className="quiet">{t.device.moreNews(notices.length - 1)}</span>}
          {notice.undo && (
            <Button
              onPress={() => {
                notice.undo?.()
                device.dismiss(notice)
              }}
            >
              {t.device.undo}
            </Button>
          )}
          <Button className="icon-button" aria-label={t.device.dismiss} onPress={() => device.dismiss(notice)}>
            <Icon name="close" />
          </Button>
        </div>
      )}
    </div>
  )
}

function NoticeWords({ notice: { kind, person, text } }: { notice: Notice }): ReactNode {
  const contact = useContacts()?.find(({ id }) => id === person)
  const words = <TheirWords>{text}</TheirWords>
  if (person === undefined) return words
  return (
    <>
      <strong>
        <TheirWords>{contact ? nameOf(contact) : personName(person)}</TheirWords>
      </strong>
      {kind === 'message' ? ': ' : ' '}
      {words}
    </>
  )
}
