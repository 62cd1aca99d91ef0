import { type ReactNode, useId } from 'react'
import { Switch } from 'react-aria-components'

export interface ToggleProps {
  isOn: boolean
  onChange: (isOn: boolean) => void
  isDisabled?: boolean
  /** The meaning of the present state, in a second line. */
  hint?: string
  children: ReactNode
}

export function Toggle({ isOn, onChange, isDisabled = false, hint, children }: ToggleProps): ReactNode {
  const hintId = useId()
  return (
    <>
      <Switch
        className="switch"
        isSelected={isOn}
        isDisabled={isDisabled}
        onChange={onChange}
        {...(hint !== undefined && { 'aria-describedby': hintId })}
      >
        <span className="switch-track" aria-hidden="true" />
        <span>{children}</span>
      </Switch>
      {hint !== undefined && (
        <p className="quiet switch-hint" id={hintId}>
          {hint}
        </p>
      )}
    </>
  )
}
