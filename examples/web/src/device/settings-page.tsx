import type { Audience } from '@kith/client'
import { useContacts, useKith, useOwnProfile } from '@kith/client/react'
import type { ReactNode } from 'react'
import { Button, Group, Label, Radio, RadioGroup } from 'react-aria-components'
import type { Device } from '../devices/device.ts'
import { usePlace } from '../navigation/use-place.ts'
import { t } from '../texts/texts.ts'
import { useAttempt } from './attempt.ts'
import { downloadContacts } from './export.ts'
import { Toggle } from './toggle.tsx'
import { Warning } from './warning.tsx'

/** The settings of who sees the user and can reach the user, and actions for this device. */
export function SettingsPage({ device }: { device: Device }): ReactNode {
  const kith = useKith()
  const contacts = useContacts()
  const { publicAudience, messageAudience, hidesPresence } = useOwnProfile()
  const { openDialog } = usePlace(device.key)
  const [failure, attempt] = useAttempt(device)
  const { settings } = t
  return (
    <div className="page scrolling settings">
      <h3 className="visually-hidden">{t.device.settings}</h3>
      <Warning text={failure} />
      <AudienceChoice
        question={settings.audience}
        words={[settings.audienceEveryone, settings.audienceContacts, settings.audienceNobody]}
        audience={publicAudience}
        onChange={audience => void attempt(() => kith.setPublicAudience(audience))}
      />
      <AudienceChoice
        question={settings.messages}
        words={[settings.messagesEveryone, settings.messagesContacts, settings.messagesNobody]}
        audience={messageAudience}
        onChange={audience => void attempt(() => kith.setMessageAudience(audience))}
      />
      <div>
        <Toggle
          isOn={hidesPresence}
          hint={settings.hideHint}
          onChange={isOn => void attempt(() => kith.setHidePresence(isOn))}
        >
          {settings.hide}
        </Toggle>
      </div>
      <Group aria-label={settings.devices}>
        <h4>{settings.devices}</h4>
        <OwnDevices device={device} />
      </Group>
      <div className="setting">
        <Button isDisabled={!contacts?.length} onPress={() => downloadContacts(device.title, contacts ?? [])}>
          {settings.export}
        </Button>
        <p className="quiet">{settings.exportHint}</p>
      </div>
      <div className="setting">
        <Button className="danger" onPress={() => openDialog('erase')}>
          {settings.erase}
        </Button>
        <p className="quiet">{settings.eraseHint}</p>
      </div>
    </div>
  )
}

function OwnDevices({ device }: { device: Device }): ReactNode {
  const own = device.siblings()
  return (
    <ul className="own-devices">
      {own.map(one => (
        <li key={one.key}>
          {one.title}
          {one === device && <span className="quiet"> · {t.settings.thisOne}</span>}
        </li>
      ))}
    </ul>
  )
}

const audiences: readonly Audience[] = ['everyone', 'contacts', 'nobody']

interface AudienceChoiceProps {
  question: string
  /** The words for everyone, contacts and nobody. */
  words: readonly [string, string, string]
  audience: Audience
  onChange: (audience: Audience) => void
}

function AudienceChoice({ question, words, audience, onChange }: AudienceChoiceProps): ReactNode {
  return (
    <RadioGroup className="audience" value={audience} onChange={value => onChange(value as Audience)}>
      <Label>{question}</Label>
      {audiences.map((value, index) => (
        <Radio key={value} value={value} className="radio">
          {words[index]}
        </Radio>
      ))}
    </RadioGroup>
  )
}
