import type { ReactNode } from 'react'
import { Toggle } from '../device/toggle.tsx'
import { databaseOf, personName, titleOf } from '../devices/name.ts'
import { isolated } from '../isolation.ts'
import { t } from '../texts/texts.ts'
import type { Entry } from '../trace/entry.ts'
import { type Group, peopleOf, type Wanted } from '../trace/timeline.ts'

export interface TimelineFiltersProps {
  entries: readonly Entry[]
  wanted: Wanted
  onChange: (wanted: Wanted) => void
}

const kinds: readonly Group[] = ['change', 'visibility', 'message', 'connection', 'problem']

/** Filters by device, person and kind. They are collapsed at first. */
export function TimelineFilters({ entries, wanted, onChange }: TimelineFiltersProps): ReactNode {
  const devices = new Map(entries.map(({ name }) => [databaseOf(name), titleOf(name)]))
  const people = new Set(entries.flatMap(entry => [entry.name.user, ...peopleOf(entry)]))
  return (
    <details className="filters">
      <summary>{t.trace.filters}</summary>
      <Choice
        label={t.trace.device}
        value={wanted.device}
        options={[...devices]}
        onChange={device => onChange({ ...wanted, device })}
      />
      <Choice
        label={t.trace.person}
        value={wanted.person}
        options={[...people].sort().map(user => [user, isolated(personName(user))])}
        onChange={person => onChange({ ...wanted, person })}
      />
      <Choice
        label={t.trace.kind}
        value={wanted.kind}
        options={kinds.map(kind => [kind, t.trace.kinds[kind]])}
        onChange={kind => onChange({ ...wanted, kind: kind as Wanted['kind'] })}
      />
      <Toggle isOn={wanted.withQuestions} onChange={withQuestions => onChange({ ...wanted, withQuestions })}>
        {t.trace.questions}
      </Toggle>
    </details>
  )
}

interface ChoiceProps {
  label: string
  value: string
  options: readonly (readonly [string, string])[]
  onChange: (value: string) => void
}

function Choice({ label, value, options, onChange }: ChoiceProps): ReactNode {
  return (
    <label className="field">
      {label}
      <select value={value} onChange={event => onChange(event.target.value)}>
        <option value="">{t.trace.all}</option>
        {options.map(([key, text]) => (
          <option key={key} value={key}>
            {text}
          </option>
        ))}
      </select>
    </label>
  )
}
