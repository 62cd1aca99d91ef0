import type { ReactNode } from 'react'
import { Switch } from 'react-aria-components'

export interface ToggleProps {
  isOn: boolean
  onChange: (isOn: boolean) => void
  children: ReactNode
}

export function Toggle({ isOn, onChange, children }: ToggleProps): ReactNode {
  return (
    <Switch className="switch" isSelected={isOn} onChange={onChange}>
      <span className="switch-track" aria-hidden="true" />
      {children}
    </Switch>
  )
}
