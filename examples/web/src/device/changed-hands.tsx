import type { ReactNode } from 'react'
import { Button, Group } from 'react-aria-components'
import { t } from '../texts/texts.ts'

export interface ChangedHandsProps {
  name: string
  onConfirm: () => void
  onRemove: () => void
}

/**
 * The user id has, or may get, a new holder: grants to the old holder and the follow of the old holder do not count until the
 * user decides.
 */
export function ChangedHands({ name, onConfirm, onRemove }: ChangedHandsProps): ReactNode {
  return (
    <Group className="changed-hands" aria-label={t.hands.label(name)}>
      <h4>{t.hands.title}</h4>
      <p>{t.hands.text(name)}</p>
      <div className="buttons">
        <Button className="primary" onPress={onConfirm}>
          {t.hands.confirm}
        </Button>
        <Button className="danger" onPress={onRemove}>
          {t.hands.remove}
        </Button>
      </div>
    </Group>
  )
}
