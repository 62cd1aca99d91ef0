import type { ReactNode } from 'react'
import { Checkbox, CheckboxGroup, Label } from 'react-aria-components'
import { audienceName, audiences } from '../audiences.ts'

export interface LevelsFieldProps {
  label: string
  levels: readonly number[]
  onChange: (levels: number[]) => void
}

/** Which levels of one's profile somebody may see. */
export function LevelsField({ label, levels, onChange }: LevelsFieldProps): ReactNode {
  const offered = [...new Set([...audiences.map(({ level }) => level), ...levels])].sort((a, b) => a - b)
  return (
    <CheckboxGroup
      className="levels"
      value={levels.map(String)}
      onChange={chosen => onChange(chosen.map(Number).sort((a, b) => a - b))}
    >
      <Label>{label}</Label>
      <div className="level-choices">
        {offered.map(level => (
          <Checkbox key={level} className="level-choice" value={String(level)} data-level={level}>
            {audienceName(level)}
          </Checkbox>
        ))}
      </div>
    </CheckboxGroup>
  )
}
