import { type ReactNode, useEffect, useRef } from 'react'
import { Button } from 'react-aria-components'
import { t } from '../texts/texts.ts'
import { PageMenu } from './page-menu.tsx'

export interface HeaderProps {
  isTelling: boolean
  onTell: () => void
  children: ReactNode
}

export function Header({ isTelling, onTell, children }: HeaderProps): ReactNode {
  const button = useRef<HTMLButtonElement>(null)
  const wasTelling = useRef(false)
  // Where the story began: a user who left it continues from there.
  useEffect(() => {
    if (wasTelling.current && !isTelling) button.current?.focus()
    wasTelling.current = isTelling
  }, [isTelling])
  return (
    <header className="page-header">
      <h1>
        Kith <span className="quiet">{t.page.tagline}</span>
      </h1>
      <div className="buttons">
        <Button ref={button} onPress={onTell} isDisabled={isTelling}>
          {t.page.story}
        </Button>
        {children}
        <PageMenu />
      </div>
    </header>
  )
}
