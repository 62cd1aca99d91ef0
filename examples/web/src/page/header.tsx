import type { ReactNode } from 'react'
import { Button } from 'react-aria-components'
import { t } from '../texts/texts.ts'
import { PageMenu } from './page-menu.tsx'

export interface HeaderProps {
  isTelling: boolean
  onTell: () => void
  children: ReactNode
}

export function Header({ isTelling, onTell, children }: HeaderProps): ReactNode {
  return (
    <header className="page-header">
      <h1>
        Kith <span className="quiet">{t.page.tagline}</span>
      </h1>
      <div className="buttons">
        <Button onPress={onTell} isDisabled={isTelling}>
          {t.page.story}
        </Button>
        {children}
        <PageMenu />
      </div>
    </header>
  )
}
