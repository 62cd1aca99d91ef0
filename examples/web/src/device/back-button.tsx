import type { ReactNode } from 'react'
import { Button } from 'react-aria-components'
import { Icon } from './icon.tsx'

/** The button that goes back from a screen. */
export function BackButton({ label, onPress }: { label: string; onPress: () => void }): ReactNode {
  return (
    <Button className="back" onPress={onPress}>
      <Icon name="back" />
      {label}
    </Button>
  )
}
