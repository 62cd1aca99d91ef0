import type { ReactNode } from 'react'
import { Checkbox, CheckboxGroup, Label } from 'react-aria-components'
import { circleName, withUsualLevels } from '../circles.ts'

export interface CirclesFieldProps {
  label: string
  levels: readonly number[]
  onChange: (levels: number[]) => void
}

/** Which circles people are put in. Everyone is none of them: it is for all whom the audience says. */
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
