import type { ReactNode } from 'react'
import { Button } from 'react-aria-components'

export interface HeaderProps {
  isTelling: boolean
  onTell: () => void
  children: ReactNode
}

export function Header({ isTelling, onTell, children }: HeaderProps): ReactNode {
  return (
    <header className="page-header">
      <h1>
        Kith <span className="quiet">contacts on every device, offline too</span>
      </h1>
      <div className="buttons">
        <Button onPress={onTell} isDisabled={isTelling}>
          Guided story
        </Button>
        {children}
      </div>
    </header>
  )
}
