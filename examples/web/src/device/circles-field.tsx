import type { ReactNode } from 'react'
import { Checkbox, CheckboxGroup, Label } from 'react-aria-components'
import { circleName, withUsualLevels } from '../circles.ts'

export interface CirclesFieldProps {
  label: string
  levels: readonly number[]
  onChange: (levels: number[]) => void
}

/** Selects the circles of people. "Everyone" is not among them: the audience setting decides who is in it. */
export function CirclesField({ label, levels, onChange }: CirclesFieldProps): ReactNode {
  return (
    <CheckboxGroup
      className="circles-field"
      value={levels.map(String)}
      onChange={chosen => onChange(chosen.map(Number).sort((a, b) => a - b))}
    >
      <Label>{label}</Label>
      <div className="circle-choices">
        {withUsualLevels(levels)
          .filter(level => level > 0)
          .map(level => (
            <Checkbox key={level} className="circle-choice" value={String(level)} data-level={level}>
              {circleName(level)}
            </Checkbox>
          ))}
      </div>
    </CheckboxGroup>
  )
}
