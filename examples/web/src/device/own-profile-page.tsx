import { useKith, useOwnProfile } from '@kith/client/react'
import type { ReactNode } from 'react'
import { Group } from 'react-aria-components'
import { circleName, withUsualLevels } from '../circles.ts'
import type { Device } from '../devices/device.ts'
import { t } from '../texts/texts.ts'
import { AddField } from './add-field.tsx'
import { useAttempt } from './attempt.ts'
import { DraftField } from './draft-field.tsx'
import { fieldLabel, namesInOrder, valueWords } from './field-list.tsx'
import { OwnPicture } from './own-picture.tsx'
import { OwnPreview } from './own-preview.tsx'
import { Warning } from './warning.tsx'

/** The fields that most people fill in, by level: also shown while empty. */
const usual: ReadonlyMap<number, readonly string[]> = new Map([
  [0, ['name', 'about']],
  [1, ['birthday']],
  [2, ['home']],
  [5, ['phone']],
])

/** The own profile, circle by circle, beside a preview of how others see it. */
export function OwnProfilePage({ device }: { device: Device }): ReactNode {
  const kith = useKith()
  const { fields, publicAudience, set, unset } = useOwnProfile()
  const [failure, attempt] = useAttempt(device)
  const levels = withUsualLevels(fields.keys())
  const save = (name: string, level: number, value: string): Promise<boolean> =>
    attempt(() => (value === '' ? unset(name, { level }) : set(name, value, { level })))
  return (
    <div className="page scrolling own-profile">
      <h3 className="visually-hidden">{t.device.profile}</h3>
      <div className="own-fields">
        <OwnPicture name={valueWords(fields.get(0)?.['name']) || kith.user} attempt={attempt} />
        <Warning text={failure} />
        {levels.map(level => {
          const held = fields.get(level) ?? {}
          return (
            <Group key={level} className="own-level" data-level={level} aria-label={circleName(level)}>
              <h4>{level === 0 ? t.profile.seenByAudience[publicAudience] : t.profile.seenBy(circleName(level))}</h4>
              {namesInOrder(new Set([...(usual.get(level) ?? []), ...Object.keys(held)])).map(name => (
                <DraftField
                  key={name}
                  label={fieldLabel(name)}
                  value={valueWords(held[name])}
                  onSave={value => save(name, level, value)}
                />
              ))}
            </Group>
          )
        })}
        <AddField levels={levels} onAdd={save} />
      </div>
      <OwnPreview levels={levels} />
    </div>
  )
}
